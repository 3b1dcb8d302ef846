import { serveMount } from '../host/fuse/serve-mount.ts';
import type { FileSystemOptions } from '../host/fuse/file-system.ts';
import { reasonOf } from '../core/base/failure.ts';

/** The file-system process that `faultline mount` starts: its options as one JSON argument. */
try {
  await serveMount(JSON.parse(process.argv[2] ?? '{}') as FileSystemOptions, () => {
    process.stdout.write('ready\n');
  });
} catch (error) {
  process.stderr.write(`faultline mount: ${reasonOf(error)}\n`);
  process.exit(1);
}
