import { spawn, spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { Failure } from '../../core/base/failure.ts';
import { cString, libc, MNT_DETACH } from './libc.ts';
import { ourMountAt } from './mounts.ts';
import { askDisk, isGone } from './control-client.ts';
import { controlPath } from './control-path.ts';

const READY = 'ready\n';

/** One that lives may hold whoever looks: a fault may be about that. */
const LOOK_MS = 500;
/** A process lets go of its descriptors one after the other. */
const LOOKS = 10;
const LOOK_AGAIN_MS = 20;
/** ENOTCONN in the words of glibc, and of musl. */
const NOT_CONNECTED = /Transport endpoint is not connected|Socket not connected/;

/**
 * Whether the process behind a mount of ours is dead, as the kernel says it: ENOTCONN. That nobody was
 * found at its control proves nothing: its socket may be missing where we look, as in another container.
 */
function isDead(mountPoint: string): boolean {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) Atomics.wait(sleeper, 0, 0, LOOK_AGAIN_MS);
    const { signal, stderr } = spawnSync('stat', ['-f', '--', mountPoint], {
      encoding: 'utf8',
      timeout: LOOK_MS,
      killSignal: 'SIGKILL',
      env: { ...process.env, LC_ALL: 'C' },
    });
    if (NOT_CONNECTED.test(stderr ?? '')) return true;
    if (signal !== null) return false;
  }
  return false;
}

/** Detaches what of ours is mounted at a place, whether it lives or not. @returns whether there was any. */
export function detach(mountPoint: string): boolean {
  let found = false;
  // Somebody may have mounted several, one over the other.
  for (let count = 0; count < 16 && ourMountAt(mountPoint) !== undefined; count++) {
    found = true;
    if (libc.umount2(cString(mountPoint).address, MNT_DETACH) !== 0) break;
  }
  if (found) rmSync(controlPath(mountPoint), { force: true });
  return found;
}

/** Unmounts what a file-system process that died left behind. @returns whether there was any. */
export function unmountLeftover(mountPoint: string): boolean {
  if (ourMountAt(mountPoint) === undefined || !isDead(mountPoint)) return false;
  return detach(mountPoint);
}

/**
 * Makes sure that a mount can be made: removes a dead one, refuses a living one.
 * @throws Failure 'already-mounted', 'not-a-directory'
 */
export async function prepareMountPoint(mountPoint: string, target: string): Promise<void> {
  if (ourMountAt(mountPoint) !== undefined) {
    let alive = true;
    try {
      await askDisk(mountPoint, 'GET', '/v1/disk', undefined, 5000);
    } catch (error) {
      // One that is slow to answer lives; only where nobody listens is the mount a dead process's.
      alive = !isGone(error);
    }
    if (alive) {
      const message = `${mountPoint} is mounted by faultline already: unmount it first`;
      throw new Failure('already-mounted', message, { definite: true });
    }
    if (!unmountLeftover(mountPoint)) {
      const message = `${mountPoint} is mounted by faultline, and its process lives: unmount it first`;
      throw new Failure('already-mounted', message, { definite: true });
    }
  }
  for (const path of [target, mountPoint]) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw new Failure('not-a-directory', `${path} is no directory`, { definite: true });
    }
  }
}

/**
 * Runs the file system in a process of its own, and unmounts lazily what it leaves if it dies: its
 * users get errors then, not a hang. The death of this process does not end it.
 * @returns the exit code: that of the file-system process, 1 where a signal ended it.
 */
export async function superviseMount(
  script: string,
  argv: readonly string[],
  mountPoint: string,
  ready: (pid: number) => void,
): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, script, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, forward);
  let said = '';
  child.stdout.on('data', (part: Buffer) => {
    said += part.toString('utf8');
    if (said === READY && child.pid !== undefined) ready(child.pid);
  });
  const code = await new Promise<number>((resolve) => {
    child.once('exit', (exitCode) => resolve(exitCode ?? 1));
  });
  if (code !== 0 && unmountLeftover(mountPoint)) {
    process.stderr.write(`faultline mount: the file system ended; ${mountPoint} is unmounted\n`);
  }
  return code;
}
