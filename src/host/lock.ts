import { closeSync, constants, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, reasonOf } from '../core/base/failure.ts';
import { birthTicks } from './boot-clock.ts';
import { tryLock } from './libc.ts';

/** Who acts on a state directory: written into the lock file by whoever holds the lock. */
export interface LockHolder {
  role: 'agent' | 'healer' | 'coordinator';
  pid: number;
  birthTicks: number;
}

export interface StateLock {
  release(): void;
}

const HOLDER_BYTES = 128;

const pathOf = (stateDirectory: string): string => join(stateDirectory, 'lock');

/** Who said last that it holds the lock; it may be gone. */
export function lockHolder(stateDirectory: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(pathOf(stateDirectory), 'utf8')) as LockHolder;
  } catch {
    // Nobody ever held it, or a new holder is just writing its name.
    return undefined;
  }
}

/**
 * Takes the one lock on a state directory: whoever holds it acts on this node. The kernel gives it
 * back when the process ends, however it ends.
 * @param options.waitMs how long to wait for a holder that `waitFor` accepts.
 * @throws Failure 'state-locked' naming the holder, 'state-directory' where it can't be used.
 */
export async function lockState(
  stateDirectory: string,
  role: LockHolder['role'],
  options: { waitMs: number; waitFor: (holder: LockHolder | undefined) => boolean },
): Promise<StateLock> {
  const fd = openLock(stateDirectory);
  const giveUpAt = performance.now() + options.waitMs;
  while (!tryLock(fd)) {
    const holder = lockHolder(stateDirectory);
    if (performance.now() >= giveUpAt || !options.waitFor(holder)) {
      closeSync(fd);
      const who = holder ? `${holder.role}, pid ${holder.pid}` : 'another process';
      throw new Failure('state-locked', `state directory ${stateDirectory} is held by: ${who}`, {
        definite: true,
        context: { holder },
      });
    }
    await sleep(20);
  }
  const holder: LockHolder = { role, pid: process.pid, birthTicks: birthTicks(process.pid) ?? 0 };
  try {
    // Always as long: written over in place, it needs no space on a disk that is full.
    writeSync(fd, JSON.stringify(holder).padEnd(HOLDER_BYTES), 0);
  } catch {
    // The name is for people; the lock is held without it.
  }
  return { release: () => closeSync(fd) };
}

function openLock(stateDirectory: string): number {
  try {
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    return openSync(pathOf(stateDirectory), constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    throw new Failure(
      'state-directory',
      `state directory ${stateDirectory} can't be used: ${reasonOf(error)}`,
      { definite: true, cause: error },
    );
  }
}
