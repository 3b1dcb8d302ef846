import { linkSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { CONTROL_DIRECTORY } from './control-path.ts';

/** A socket in its place; it listened before it came there. */
const IN_PLACE = /\.sock$/;
/** One that is being made, or is looked at by whoever removes it. */
const ON_THE_WAY = /\.sock(\.[0-9]+)+(\.dead)?$/;
/** On its way for so long is nobody who lives. */
const OLD_MS = 60_000;

/** Whether the process of a socket has ended: the kernel refuses. A backlog that is full is another answer. */
async function isDeaf(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}

/** Removes a socket that nobody listens at; one that has come into its place meanwhile stays. */
export async function removeDeadSocket(path: string): Promise<void> {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined || !(await isDeaf(path))) return;
  // Taken out of its place at once, and then looked at: between a look and a removal another could come.
  const aside = `${path}.${process.pid}.dead`;
  try {
    renameSync(path, aside);
    if (lstatSync(aside).ino !== before.ino) linkSync(aside, path);
    rmSync(aside);
  } catch {
    // Somebody else removes it, or the next one has its place already.
    rmSync(aside, { force: true });
  }
}

/** Removes what file-system processes that were killed left: sockets that nobody listens at. */
export async function removeDeadSockets(
  directory = CONTROL_DIRECTORY,
  nowMs = Date.now(),
): Promise<void> {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    // There never was a mount on this machine, since it was started.
    return;
  }
  for (const name of names) {
    const path = join(directory, name);
    const changedAt = lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Infinity;
    const isOld = nowMs - changedAt > OLD_MS;
    if (IN_PLACE.test(name) || (ON_THE_WAY.test(name) && isOld)) await removeDeadSocket(path);
  }
}
