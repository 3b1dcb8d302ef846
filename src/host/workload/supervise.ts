import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { BenchSpec, BenchStatus } from '../../core/workloads/bench-spec.ts';
import type { WorkloadSpec } from '../../core/workloads/spec.ts';
import type { WorkloadCommand, WorkloadStatus } from '../../core/workloads/status.ts';
import { birthTicks } from '../boot-clock.ts';
import { readBootId } from '../clock.ts';
import { beKilledAsOthersAre } from '../linux/oom-score.ts';
import { BENCH_ENVIRONMENT, BENCH_FLAGS } from './bench-process.ts';
import { FILES } from './files.ts';
import {
  readProcess,
  workloadArguments,
  writeProcess,
  type WorkloadProcess,
} from './process-file.ts';

const BIN = new URL(
  import.meta.filename.endsWith('.ts') ? '../../bin/workload.ts' : '../../bin/workload.js',
  import.meta.url,
).pathname;

const FLAGS = ['--disable-warning=ExperimentalWarning'];

/**
 * Starts a workload in a process of its own that outlives the caller. Asked again for a directory that
 * has one already, it starts nothing.
 * @param directory made if it is missing; one a workload.
 * @throws Failure `workload-not-started`.
 */
export function startWorkload(spec: WorkloadSpec | BenchSpec, directory: string): WorkloadProcess {
  mkdirSync(directory, { recursive: true, mode: 0o750 });
  const there = readProcess(directory);
  if (there !== undefined) return there;
  writeFileSync(`${directory}/${FILES.spec}`, JSON.stringify(spec), { mode: 0o600 });
  const log = openSync(`${directory}/${FILES.log}`, 'a', 0o640);
  try {
    const isBench = 'endAtMs' in spec;
    const flags = isBench ? [...BENCH_FLAGS, ...FLAGS] : FLAGS;
    const child = spawn(process.execPath, [...flags, BIN, ...workloadArguments(directory)], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: isBench ? { ...BENCH_ENVIRONMENT, ...process.env } : process.env,
    });
    child.on('error', () => undefined); // told below: no pid
    child.unref();
    const birth = child.pid === undefined ? undefined : birthTicks(child.pid);
    if (child.pid !== undefined) beKilledAsOthersAre(child.pid);
    if (child.pid === undefined || birth === undefined) {
      const message = `the workload process did not start; see ${directory}/${FILES.log}`;
      throw new Failure('workload-not-started', message, { definite: true });
    }
    const started = { pid: child.pid, birth, bootId: readBootId() };
    note(directory, started);
    return started;
  } finally {
    closeSync(log);
  }
}

/** A load that nobody would find again must not go on. @throws what was wrong. */
function note(directory: string, started: WorkloadProcess): void {
  try {
    writeProcess(directory, started);
  } catch (error) {
    if (birthTicks(started.pid) === started.birth) killAll(started.pid);
    // Nothing was started there.
    rmSync(`${directory}/${FILES.spec}`);
    const why = `it could not be noted in ${directory}: ${reasonOf(error)}`;
    const message = `the workload process is ended: ${why}`;
    throw new Failure('workload-not-started', message, { definite: true, cause: error });
  }
}

/** Ends a load and the programs it runs for others: it leads a process group, as it was started detached. */
function killAll(pid: number): void {
  process.kill(-pid, 'SIGKILL');
}

export interface AdoptedWorkload {
  process: WorkloadProcess;
  /** False: it has ended, or died; the status tells which (phase closed or failed). */
  alive: boolean;
}

/** Finds a workload that an earlier process of ours started; undefined: none in this directory. */
export function adoptWorkload(directory: string): AdoptedWorkload | undefined {
  const found = readProcess(directory);
  if (found === undefined) return undefined;
  const alive = found.bootId === readBootId() && birthTicks(found.pid) === found.birth;
  return { process: found, alive };
}

/** Tells a workload something; it acts within 100 ms, one command after the other. @throws Failure. */
export function sendWorkload(directory: string, command: WorkloadCommand): void {
  if (readProcess(directory) === undefined) {
    const message = `no workload in ${directory}`;
    throw new Failure('no-workload', message, { definite: true });
  }
  appendFileSync(`${directory}/${FILES.commands}`, `${JSON.stringify(command)}\n`, { mode: 0o640 });
}

export type ReadStatus = WorkloadStatus & { alive: boolean };

/**
 * The latest status; undefined while there is none yet. A workload that is dead without having closed
 * is `failed`, whatever it last said.
 */
export function readStatus(directory: string): ReadStatus | undefined {
  const alive = adoptWorkload(directory)?.alive ?? false;
  const path = `${directory}/${FILES.status}`;
  if (!existsSync(path)) return undefined;
  const status = JSON.parse(readFileSync(path, 'utf8')) as WorkloadStatus;
  const ended = status.phase === 'closed' || status.phase === 'failed';
  if (alive || ended) return { ...status, alive };
  return { ...status, phase: 'failed', error: 'the workload process died', alive };
}

/** The latest word of a bench; of one that has said nothing yet, whether it ever will. */
export function readBenchStatus(directory: string): BenchStatus {
  const status = readStatus(directory) as unknown as BenchStatus | undefined;
  if (status !== undefined) return status;
  const now = Date.now();
  const unsaid = { kind: '', run: '', updatedAtMs: now, startedAtMs: now, status: null };
  if (adoptWorkload(directory)?.alive !== false) return { ...unsaid, phase: 'starting' };
  return { ...unsaid, phase: 'failed', error: `its process died; see ${directory}/${FILES.log}` };
}

/**
 * Ends a workload process and what it started for good (SIGKILL), if it is still the one we started.
 * @returns whether there was one to end.
 */
export function killWorkload(directory: string): boolean {
  const found = adoptWorkload(directory);
  if (found?.alive !== true) return false;
  killAll(found.process.pid);
  return true;
}
