import { reasonOf } from '../../core/base/failure.ts';
import { Control } from './control.ts';
import { controlPath } from './control-path.ts';
import { serveControl } from './control-server.ts';
import { endNow, FileSystem, type FileSystemOptions } from './file-system.ts';

/**
 * The file-system process: mounts, listens for its control, serves until unmounted. It listens before
 * it mounts: a mount for which nobody listens is a dead process's, and whoever sees one may detach it.
 * @param ready called when files can be used.
 */
export async function serveMount(
  options: FileSystemOptions,
  ready: (control: Control) => void | Promise<void>,
): Promise<void> {
  const path = controlPath(options.mountPoint);
  const begun = Promise.withResolvers<Control>();
  let stop = (): void => undefined;
  const { server, remove } = await serveControl(begun.promise, path, () => stop());
  let fileSystem: FileSystem;
  try {
    fileSystem = await FileSystem.start(options);
  } catch (error) {
    remove();
    throw error;
  }
  const control = new Control(fileSystem);
  let isAsked = false;
  stop = (): void => {
    // Unmounted here, but somebody has a file open, or another mount namespace a copy: asked once more,
    // it ends all the same, and they get errors.
    if (isAsked) {
      remove();
      endNow();
    }
    isAsked = true;
    // Faults would keep the callers that unmounting waits for.
    void control
      .clearAll()
      .catch((error: unknown) => process.stderr.write(`faultline mount: ${reasonOf(error)}\n`))
      .then(() => fileSystem.unmount(false) || fileSystem.unmount(true));
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop());
  await control.start();
  begun.resolve(control);
  await ready(control);
  await fileSystem.ended();
  control.stop();
  server.closeAllConnections();
  server.close();
  remove();
}
