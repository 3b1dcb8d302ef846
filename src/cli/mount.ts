import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildCommand } from '@stricli/core';
import { exitWith, printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { argument, jsonFlag, switchFlag } from './flags.ts';

const MOST_THREADS = 64;

/** @throws SyntaxError with what is expected. */
function threadsOf(input: string): number {
  const threads = Number(input);
  if (/^[0-9]+$/.test(input) && threads >= 1 && threads <= MOST_THREADS) return threads;
  throw new SyntaxError(`threads are a whole number from 1 to ${MOST_THREADS}`);
}

export const mountCommand = buildCommand<
  { shared: boolean; track: boolean; threads?: number; json: boolean },
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
      track: switchFlag('know what is not fsynced from the start, for faultline disk powercut'),
      threads: {
        kind: 'parsed',
        parse: threadsOf,
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
    const { refuseUsed } = await import('../host/directory-users.ts');
    const at = canonicalMountPoint(mountPoint);
    await prepareMountPoint(at, target);
    for (const directory of new Set([realpathSync(target), realpathSync(at)]))
      refuseUsed(directory);
    const { shared, threads, track: trackUnsynced } = flags;
    const paths = { target: realpathSync(target), mountPoint: realpathSync(at) };
    const options = { ...paths, shared, threads, trackUnsynced };
    const script = fileURLToPath(new URL('../bin/mount.ts', import.meta.url));
    const code = await superviseMount(script, [JSON.stringify(options)], at, (pid) => {
      if (flags.json) printJson(this, { target: paths.target, mountPoint: at, pid });
      else printLine(this, `mounted ${paths.target} at ${at}, process ${pid}`);
    });
    exitWith(this, code);
  },
});
