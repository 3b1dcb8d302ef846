import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildCommand } from '@stricli/core';
import { exitWith, printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { argument, jsonFlag, switchFlag } from './flags.ts';

export const mountCommand = buildCommand<
  { shared: boolean; threads?: number; json: boolean },
  [target: string, mountPoint: string],
  CliContext
>({
  docs: {
    brief: 'A directory as a file system that can be told to fail',
    fullDescription: withExamples(
      `Shows TARGET at MOUNTPOINT as a bind mount does (both may be the same directory) until
'faultline disk set' says otherwise. Runs until SIGTERM, Ctrl-C or umount; needs root and /dev/fuse.
Only the mount may change TARGET, unless --shared.`,
      [
        ['faultline mount /var/lib/kafka/d1 /var/lib/kafka/d1', 'over itself'],
        ['faultline mount --shared /srv/data /mnt/data', 'others change /srv/data too'],
      ],
    ),
  },
  parameters: {
    flags: {
      json: jsonFlag,
      shared: switchFlag('others change TARGET too: names are kept for 1 s, pages for one open'),
      threads: {
        kind: 'parsed',
        parse: Number,
        optional: true,
        placeholder: 'N',
        brief: 'threads that serve; default: as many as CPUs, from 2 to 8',
      },
    },
    positional: {
      kind: 'tuple',
      parameters: [
        argument('TARGET', 'the directory whose files are shown'),
        argument('MOUNTPOINT', 'where they are shown'),
      ],
    },
  },
  async func(flags, target, mountPoint) {
    const { prepareMountPoint, superviseMount } = await import('../host/fuse/supervise.ts');
    const { canonicalMountPoint } = await import('../host/fuse/control-client.ts');
    const at = canonicalMountPoint(mountPoint);
    await prepareMountPoint(at, target);
    const { shared, threads } = flags;
    const options = { target: realpathSync(target), mountPoint: realpathSync(at), shared, threads };
    const script = fileURLToPath(new URL('../bin/mount.ts', import.meta.url));
    const code = await superviseMount(script, [JSON.stringify(options)], at, (pid) => {
      if (flags.json) printJson(this, { target: options.target, mountPoint: at, pid });
      else printLine(this, `mounted ${options.target} at ${at}, process ${pid}`);
    });
    exitWith(this, code);
  },
});
