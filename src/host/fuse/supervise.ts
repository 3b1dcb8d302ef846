import { spawn, type ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { cString, libc, MNT_DETACH } from './libc.ts';
import { ourMountAt } from './mounts.ts';
import { askDisk, isGone } from './control-client.ts';
import { controlPath } from './control-path.ts';
import { removeDeadSocket } from './dead-sockets.ts';

const READY = 'ready\n';

/** One that lives may hold whoever looks: a fault may be about that. */
const LOOK_MS = 500;
/** A process lets go of its descriptors one after the other. */
const LOOKS = 10;
const LOOK_AGAIN_MS = 20;
/** ENOTCONN in the words of glibc, and of musl. */
const NOT_CONNECTED = /Transport endpoint is not connected|Socket not connected/;

/** What statfs(2) of a mount says, in a process that can be ended: who asks may be held for good. */
function askKernel(mountPoint: string): Promise<'dead' | 'held' | 'answers'> {
  const child = spawn('stat', ['-f', '--', mountPoint], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let said = '';
  child.stderr.on('data', (part: Buffer) => {
    said += part.toString('utf8');
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      // Nobody waits until it has gone, should even that take long.
      child.stderr.destroy();
      child.unref();
      resolve('held');
    }, LOOK_MS);
    const end = (): void => {
      clearTimeout(timer);
      resolve(NOT_CONNECTED.test(said) ? 'dead' : 'answers');
    };
    child.once('close', end);
    // It could not be started: nothing is known.
    child.once('error', end);
  });
}

/**
 * Whether the process behind a mount of ours is dead, as the kernel says it: ENOTCONN. That nobody was
 * found at its control proves nothing: its socket may be missing where we look, as in another container.
 */
async function isDead(mountPoint: string): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await sleep(LOOK_AGAIN_MS);
    const says = await askKernel(mountPoint);
    if (says !== 'answers') return says === 'dead';
  }
  return false;
}

function unmountNewest(mountPoint: string): boolean {
  const path = cString(mountPoint);
  return libc.umount2(path.address, MNT_DETACH) === 0;
}

/** Detaches what of ours is mounted at a place, whether it lives or not. */
export async function detach(mountPoint: string): Promise<void> {
  while (ourMountAt(mountPoint) !== undefined && unmountNewest(mountPoint));
  await removeDeadSocket(controlPath(mountPoint));
}

/** Unmounts what file-system processes that died left behind. @returns whether there was any. */
export async function unmountLeftover(mountPoint: string): Promise<boolean> {
  let found = false;
  // Somebody may have mounted several, one over the other.
  for (;;) {
    const before = ourMountAt(mountPoint);
    if (before === undefined || !(await isDead(mountPoint))) break;
    // Another may have come into its place while we asked.
    if (ourMountAt(mountPoint)?.device !== before.device) continue;
    if (!unmountNewest(mountPoint)) break;
    found = true;
  }
  if (found) await removeDeadSocket(controlPath(mountPoint));
  return found;
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
    await unmountLeftover(mountPoint);
    // Another, like the agent, may have unmounted it.
    if (ourMountAt(mountPoint) !== undefined) {
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

/** What to tell where the file system's process could not even be started: no memory, no descriptor. */
export function mountNotStarted(cause: Error): Failure {
  const message = `the file system's process could not be started: ${reasonOf(cause)}`;
  return new Failure('mount-not-started', message, { definite: true, cause });
}

/**
 * Runs the file system in a process of its own, and unmounts lazily what it leaves if it dies: its
 * users get errors then, not a hang. The death of this process does not end it.
 * @returns the exit code: that of the file-system process, 1 where a signal ended it.
 * @throws Failure 'mount-not-started'
 */
export async function superviseMount(
  script: string,
  argv: readonly string[],
  mountPoint: string,
  ready: (pid: number) => void,
): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [...process.execArgv, script, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('exit', (exitCode) => resolve(exitCode ?? 1));
    child.once('error', (cause) => reject(mountNotStarted(cause)));
  });
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, forward);
  let said = '';
  // Without a descriptor for it there is none.
  child.stdout?.on('data', (part: Buffer) => {
    said += part.toString('utf8');
    if (said === READY && child.pid !== undefined) ready(child.pid);
  });
  const code = await ended;
  if (code !== 0 && (await unmountLeftover(mountPoint))) {
    process.stderr.write(`faultline mount: the file system ended; ${mountPoint} is unmounted\n`);
  }
  await removeDeadSocket(controlPath(mountPoint));
  return code;
}
