import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { DiskProbe } from '../../core/model/fault.ts';
import { askDisk } from '../fuse/control-client.ts';

const ANSWER_MS = 1_000;
/** Whoever is held by a fault is let go of then. */
const LONGEST_MS = 1_000;
/** A file that matches may come later, and looking for it costs. */
const MOST_TRIES = 5;
const REMEMBERED = 1_000;

/** In a process of its own: one that is held by a stall can be killed, a thread of ours can't. */
const PROGRAMS: Readonly<Record<DiskProbe['disk'], readonly [string, ...string[]]>> = {
  read: ['head', '-c', '1', '--'],
  look: ['stat', '--'],
  sync: ['sync', '--'],
};

const tries = new Map<string, number>();

/** Does to one file what the fault is about, once; the file system counts the hit. Waits for nobody. */
export async function probeDisk({ disk, token, mountPoint }: DiskProbe): Promise<void> {
  const tried = tries.get(token) ?? 0;
  if (tried >= MOST_TRIES) return;
  tries.set(token, tried + 1);
  for (const oldest of tries.keys()) if (tries.size > REMEMBERED) tries.delete(oldest);
  let path: string | undefined;
  try {
    const route = `/v1/disk/faults/${token}/example`;
    const found = await askDisk(mountPoint, 'GET', route, undefined, ANSWER_MS);
    ({ path } = found as { path?: string });
  } catch {
    // A file system that does not answer is told of by the questions about the fault.
    return;
  }
  if (path === undefined) return;
  tries.set(token, MOST_TRIES);
  const [program, ...argv] = PROGRAMS[disk];
  const child = spawn(program, [...argv, join(mountPoint, path)], {
    stdio: 'ignore',
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  });
  // Without the program nothing is shown, and the users of the disk show it.
  child.on('error', () => undefined);
  child.unref();
}
