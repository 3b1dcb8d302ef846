import { readdirSync, readlinkSync } from 'node:fs';
import { Failure } from '../core/base/failure.ts';

interface User {
  pid: number;
  /** One file below the directory that it has open. */
  file: string;
}

function linksIn(directory: string): string[] {
  try {
    return readdirSync(directory).flatMap((name) => {
      try {
        return [readlinkSync(`${directory}/${name}`)];
      } catch {
        // Closed between the listing and the reading.
        return [];
      }
    });
  } catch {
    // The process has ended, or is not ours to look at.
    return [];
  }
}

function mountNamespaceOf(pid: number | 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    // The process has ended.
    return '';
  }
}

/** Processes of our mount namespace that have files below a directory open (a broker: its .lock). */
export function usersOf(directory: string): User[] {
  const own = mountNamespaceOf('self');
  const below = directory === '/' ? '/' : `${directory}/`;
  const users: User[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!(pid > 0) || pid === process.pid || mountNamespaceOf(pid) !== own) continue;
    const file = linksIn(`/proc/${pid}/fd`).find((link) => link.startsWith(below));
    if (file !== undefined) users.push({ pid, file });
  }
  return users;
}

/**
 * Refuses to cover a directory that is in use: who has its files open would go on past the new mount,
 * and two file systems would write to one log.
 * @throws Failure 'directory-in-use'
 */
export function refuseUsed(directory: string): void {
  const [first, ...more] = usersOf(directory);
  if (first === undefined) return;
  const others = more.length === 0 ? '' : ` and ${more.length} more process(es)`;
  const message = `${directory} is in use: pid ${first.pid} has ${first.file} open${others}`;
  throw new Failure(
    'directory-in-use',
    `${message}; stop it first (a running broker can't be moved)`,
    {
      definite: true,
    },
  );
}
