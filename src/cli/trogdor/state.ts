import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Below a daemon's own directory, one a trogdor.conf. */
const OF_CONFIG = /^conf-[0-9a-z]+-[0-9a-z]+$/;

/**
 * Where the coordinator of a trogdor.conf keeps its state. Another file, or one that was written anew, is
 * another cluster with tasks of its own: system tests write one for each test, give their tasks the
 * same ids again, and Trogdor's coordinator begins with none. One that comes back with the file that it
 * had knows what it knew.
 * @param directory the coordinator's own. @throws what the system says
 */
export function coordinatorState(directory: string, config: string): string {
  const { ino, mtimeNs } = statSync(config, { bigint: true });
  const state = join(directory, `conf-${ino.toString(36)}-${mtimeNs.toString(36)}`);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  return state;
}

/** Deletes the state of every other file. For the one whose ports are open: no other can be running. */
export function forgetOtherStates(directory: string, state: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (OF_CONFIG.test(name) && path !== state) rmSync(path, { recursive: true, force: true });
  }
}
