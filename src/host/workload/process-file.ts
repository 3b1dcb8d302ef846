import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { birthTicks } from '../boot-clock.ts';
import { readBootId } from '../clock.ts';
import { FILES } from './files.ts';

/** A process that cannot be mistaken for another: this boot, this pid, born at this tick. */
export interface WorkloadProcess {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot (proc(5)). */
  birth: number;
  bootId: string;
}

/** Of a directory whose file can't be read, and that no process runs in. */
const UNKNOWN: WorkloadProcess = { pid: 0, birth: 0, bootId: '' };

/** What a workload's process is called with after its script. */
export function workloadArguments(directory: string): string[] {
  return ['--spec', `${directory}/${FILES.spec}`, '--directory', directory];
}

/** Whole or not at all. Not flushed: after a crash of the machine the process is gone, too. */
export function writeProcess(directory: string, started: WorkloadProcess): void {
  const path = `${directory}/${FILES.process}`;
  writeFileSync(`${path}.new`, JSON.stringify(started), { mode: 0o640 });
  renameSync(`${path}.new`, path);
}

/**
 * The process of a directory; undefined: none was started there. Where the file is damaged, or whoever
 * started it was killed before it was written, it is the one that runs with this directory among its
 * arguments; where it is damaged and none runs, one that is not alive.
 */
export function readProcess(directory: string): WorkloadProcess | undefined {
  const path = `${directory}/${FILES.process}`;
  if (!existsSync(path)) {
    return existsSync(`${directory}/${FILES.spec}`) ? noteRunning(directory) : undefined;
  }
  return parsed(readFileSync(path, 'utf8')) ?? runningIn(directory) ?? UNKNOWN;
}

function noteRunning(directory: string): WorkloadProcess | undefined {
  const found = runningIn(directory);
  try {
    // That it ran there is known when it has ended, too.
    if (found !== undefined) writeProcess(directory, found);
  } catch {
    // A full disk: it can be ended all the same, and the next look notes it.
  }
  return found;
}

function parsed(text: string): WorkloadProcess | undefined {
  try {
    const found = JSON.parse(text) as Partial<WorkloadProcess> | null;
    const { pid, birth, bootId: boot } = found ?? {};
    const isWhole = Number.isSafeInteger(pid) && Number.isSafeInteger(birth);
    return isWhole && typeof boot === 'string' ? (found as WorkloadProcess) : undefined;
  } catch {
    // Torn by a crash, or by a disk.
    return undefined;
  }
}

function runningIn(directory: string): WorkloadProcess | undefined {
  const end = `\0${workloadArguments(directory).join('\0')}\0`;
  for (const name of readdirSync('/proc').filter((each) => /^[0-9]+$/.test(each))) {
    const pid = Number(name);
    if (!commandLine(pid).endsWith(end)) continue;
    const birth = birthTicks(pid);
    if (birth !== undefined) return { pid, birth, bootId: readBootId() };
  }
  return undefined;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It has gone.
    return '';
  }
}
