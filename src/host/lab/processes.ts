import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/base/failure.ts';

/**
 * The environment variable that marks every process a lab starts; its value is the lab's directory.
 * Whatever crashed, and whenever: the marked processes, and what they started, are the lab's.
 */
export const MARK = 'FAULTLINE_LAB';

/** A file of /proc, or '' when the process is gone meanwhile (or is a zombie with nothing to read). */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // ENOENT, ESRCH: it has ended between the listing and the reading.
    return '';
  }
}

/** All processes that carry this lab's mark, as this PID namespace numbers them. */
export function markedProcesses(directory: string): number[] {
  const mark = `${MARK}=${directory}`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .filter((pid) => readProc(`/proc/${pid}/environ`).split('\0').includes(mark));
}

/** Sends a signal; false: the process was gone already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Kills whatever carries the mark until nothing does: what is being started meanwhile inherits it.
 * @throws Failure 'processes-remain' naming those that would not die.
 */
export async function killMarked(directory: string, timeoutMs = 15_000): Promise<void> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const pids = markedProcesses(directory);
    if (pids.length === 0) return;
    if (performance.now() > until) {
      throw new Failure('processes-remain', `processes would not end: ${pids.join(', ')}`, {
        definite: false,
      });
    }
    for (const pid of pids) signal(pid, 'SIGKILL');
    await sleep(20);
  }
}
