import { rmSync } from 'node:fs';
import { Control } from './control.ts';
import { controlPath } from './control-path.ts';
import { serveControl } from './control-server.ts';
import { FileSystem, type FileSystemOptions } from './file-system.ts';

/**
 * The file-system process: mounts, listens for its control, serves until unmounted.
 * @param ready called when files can be used.
 */
export async function serveMount(
  options: FileSystemOptions,
  ready: (control: Control) => void | Promise<void>,
): Promise<void> {
  const fileSystem = await FileSystem.start(options);
  const control = new Control(fileSystem);
  const path = controlPath(options.mountPoint);
  const stop = (): void => {
    // Faults would keep the callers that unmounting waits for.
    void control
      .clearAll()
      .catch((error: unknown) => process.stderr.write(`faultline mount: ${String(error)}\n`))
      .then(() => fileSystem.unmount(false) || fileSystem.unmount(true));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', stop);
  await control.start();
  const server = await serveControl(control, path, stop);
  await ready(control);
  await fileSystem.ended();
  control.stop();
  server.closeAllConnections();
  server.close();
  rmSync(path, { force: true });
}
