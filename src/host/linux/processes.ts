import {
  closeSync,
  constants as files,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants } from 'node:os';
import { Failure } from '../../core/base/failure.ts';
import {
  parseCommandLine,
  parseListeningInodes,
  parseNamespaceLink,
  parseStat,
  type ProcessStat,
} from '../../core/codec/proc.ts';
import type { Signal } from '../../core/model/act.ts';
import { matchesProcess, type MatchFacts } from '../../core/model/process-facts.ts';
import {
  describeProcess,
  type ProcessMatch,
  type ProcessRef,
} from '../../core/model/process-match.ts';
import { readBootId } from '../clock.ts';
import { closeDescriptor, pidfdOpen, pidfdSendSignal } from './libc.ts';

const { O_NONBLOCK, O_RDONLY } = files;
const FILE_MAX = 256 * 1024;
const SOCKET_TABLE_MAX = 8 * 1024 * 1024;
const PROCESSES_MAX = 65_536;
const STOP_WAIT_MS = 1_000;
const KILL_WAIT_MS = 3_000;

/** One process as /proc shows it at one moment. */
export interface SeenProcess {
  ref: ProcessRef;
  stat: ProcessStat;
  argv: string[];
}

/** Of these nobody may conclude that a process is gone: a signal that is owed would be taken for sent. */
const EXHAUSTED = ['EMFILE', 'ENFILE', 'ENOMEM'];

/**
 * The first bytes of a file; undefined where it can't be read: the process has gone.
 * @throws Failure 'exhausted': this process can open nothing now
 */
export function readBounded(path: string, max = FILE_MAX): string | undefined {
  let fd: number;
  try {
    // A pid file may be a FIFO by now: without a writer it would keep the whole agent.
    fd = openSync(path, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (EXHAUSTED.includes(code))
      throw new Failure('exhausted', `${path} can't be opened: ${code}`, { definite: true });
    // Gone, or not ours to read: to the caller it is not there.
    return undefined;
  }
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    while (size < max) {
      const chunk = Buffer.alloc(Math.min(16_384, max - size));
      const read = readSync(fd, chunk);
      if (read === 0) break;
      size += read;
      chunks.push(chunk.subarray(0, read));
    }
    return Buffer.concat(chunks).toString('latin1');
  } catch {
    // ESRCH: it ended between opening and reading.
    return undefined;
  } finally {
    closeSync(fd);
  }
}

let bootId: string | undefined;

function namespaceOf(pid: number): number | undefined {
  try {
    return parseNamespaceLink(readlinkSync(`/proc/${pid}/ns/pid`));
  } catch {
    // Gone.
    return undefined;
  }
}

function readStat(pid: number): ProcessStat | undefined {
  return parseStat(readBounded(`/proc/${pid}/stat`) ?? '');
}

/** Reads one process; undefined where there is none. */
export function seeProcess(pid: number): SeenProcess | undefined {
  const stat = readStat(pid);
  const commandLine = readBounded(`/proc/${pid}/cmdline`);
  const pidNamespace = namespaceOf(pid);
  if (!stat || commandLine === undefined || pidNamespace === undefined) return undefined;
  bootId ??= readBootId();
  return {
    ref: { bootId, pidNamespace, pid, birthTicks: stat.birthTicks },
    stat,
    argv: parseCommandLine(Buffer.from(commandLine, 'latin1').toString('utf8')),
  };
}

function networkOf(pid: number | 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    // It has gone; one that has ended and was not waited for has no namespace any more.
    return '';
  }
}

/** Whether a process lives in our network namespace: others' (a lab's nodes) have their own agents. */
export function sharesNetwork(pid: number): boolean {
  return networkOf(pid) === networkOf('self');
}

/** Every process this PID namespace shows, except kernel threads. */
export function seeProcesses(): SeenProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .slice(0, PROCESSES_MAX)
    .flatMap((name) => seeProcess(Number(name)) ?? []);
}

/** Reads what a match needs besides the processes. */
function readMatchFacts(match: ProcessMatch, processes: readonly SeenProcess[]): MatchFacts {
  const facts: MatchFacts = {};
  if (match.pidFile !== undefined) {
    const text = readBounded(match.pidFile, 64)?.trim() ?? '';
    if (/^[0-9]{1,10}$/.test(text)) facts.pidInFile = Number(text);
  }
  if (match.listens !== undefined) facts.listeners = listenersOf(match.listens, processes);
  return facts;
}

function listenersOf(port: number, processes: readonly SeenProcess[]): Set<number> {
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
      parseListeningInodes(readBounded(path, SOCKET_TABLE_MAX) ?? '', port),
    ),
  );
  const holders = processes.filter(({ ref }) => {
    try {
      return readdirSync(`/proc/${ref.pid}/fd`).some((fd) => {
        const inode = /^socket:\[([0-9]+)\]$/.exec(readlinkSync(`/proc/${ref.pid}/fd/${fd}`))?.[1];
        return inode !== undefined && inodes.has(inode);
      });
    } catch {
      // It ended, or closed the descriptor meanwhile: it does not listen.
      return false;
    }
  });
  return new Set(holders.map(({ ref }) => ref.pid));
}

/** All that a match describes; `service` must have been resolved by the caller. */
export function findProcesses(match: ProcessMatch): SeenProcess[] {
  const processes = seeProcesses().filter(({ argv }) => !asksForFaults(argv));
  const facts = readMatchFacts(match, processes);
  return processes.filter(({ argv, ref }) => matchesProcess(match, { pid: ref.pid, argv }, facts));
}

const ASKING = ['demo', 'explain', 'fault', 'run'];

/** A command line that asks for a fault names the process it means among its own arguments. */
function asksForFaults(argv: readonly string[]): boolean {
  const at = argv.findIndex((part) => part.endsWith('/src/bin/faultline.ts'));
  return at > 0 && at < 8 && isOurs(argv) && ASKING.includes(argv[at + 1] ?? '');
}

/** This process and those it descends from. */
function ownLine(): Set<number> {
  const line = new Set<number>();
  let pid = process.pid;
  while (pid > 0 && !line.has(pid)) {
    line.add(pid);
    pid = readStat(pid)?.parentPid ?? 0;
  }
  return line;
}

/** Why no fault may touch a process, for all of them; undefined: it may. */
export function forbiddenBy(): (seen: SeenProcess) => string | undefined {
  const line = ownLine();
  return ({ ref, stat, argv }) => {
    if (ref.pid === 1) return 'it is pid 1 of its namespace';
    if (ref.pid === process.pid) return 'it is this agent';
    if (line.has(ref.pid)) return 'this agent descends from it';
    if (stat.comm.startsWith('sshd')) return 'it is sshd: the way in';
    if (isOurs(argv)) return 'it is a part of Faultline';
    return undefined;
  };
}

/** The guard and burners are scripts of ours; all others are Node with a file of src/bin. */
function isOurs(argv: readonly string[]): boolean {
  const ours = /(^|\/)src\/(host\/(guard|linux\/burner)\.sh|bin\/[a-z-]+\.ts)$/;
  const program = (argv[0] ?? '').split('/').at(-1) ?? '';
  const runs = program.startsWith('node') || program === 'bash';
  return runs && argv.slice(1, 8).some((part) => ours.test(part));
}

/** The state letter of exactly this process, or 'gone'. */
export function stateOf(ref: ProcessRef): string {
  const seen = seeProcess(ref.pid);
  return seen && isSame(seen.ref, ref) ? seen.stat.state : 'gone';
}

function isSame(left: ProcessRef, right: ProcessRef): boolean {
  return (
    left.pid === right.pid &&
    left.birthTicks === right.birthTicks &&
    left.pidNamespace === right.pidNamespace &&
    left.bootId === right.bootId
  );
}

/**
 * Sends a signal to exactly this process: the pidfd is opened first, then the birth time is read, so
 * that a reused pid is never hit (pidfd_open(2)).
 * @returns false where it is gone.
 */
export function sendSignal(ref: ProcessRef, signal: Signal): boolean {
  const fd = pidfdOpen(ref.pid);
  if (fd === 'ESRCH') return false;
  if (typeof fd === 'string') throw signalFailure(ref, signal, `pidfd_open: ${fd}`);
  try {
    const seen = seeProcess(ref.pid);
    if (!seen || !isSame(seen.ref, ref)) return false;
    const error = pidfdSendSignal(fd, constants.signals[signal]);
    if (error === undefined) return true;
    if (error === 'ESRCH') return false;
    throw signalFailure(ref, signal, `pidfd_send_signal: ${error}`);
  } finally {
    closeDescriptor(fd);
  }
}

function signalFailure(ref: ProcessRef, signal: Signal, reason: string): Failure {
  const message = `${signal} to ${describeProcess(ref)}: ${reason}`;
  return new Failure('signal-refused', message, { definite: true });
}

/** The states of what runs no more. */
export const ENDED: readonly string[] = ['gone', 'Z', 'X'];

const ARRIVED: Readonly<Record<Signal, (state: string) => boolean>> = {
  SIGKILL: (state) => ENDED.includes(state),
  // It is the process's business when it obeys.
  SIGTERM: () => true,
  SIGSTOP: (state) => ['T', 't', ...ENDED].includes(state),
  SIGCONT: (state) => state !== 'T',
};

/** Sends to all, then waits until every one is in the state the signal brings. */
export async function signalAll(refs: readonly ProcessRef[], signal: Signal): Promise<void> {
  const forbidden = forbiddenBy();
  for (const ref of refs) {
    const seen = seeProcess(ref.pid);
    const why = seen && isSame(seen.ref, ref) ? forbidden(seen) : undefined;
    if (why === undefined) continue;
    const message = `${describeProcess(ref)} must not be signalled: ${why}`;
    throw new Failure('process-forbidden', message, { definite: true });
  }
  for (const ref of refs) sendSignal(ref, signal);
  await waitFor(refs, ARRIVED[signal], signal);
}

/** @throws Failure 'signal-without-effect' where it takes too long (state D, a tracer). */
export async function waitFor(
  refs: readonly ProcessRef[],
  arrived: (state: string) => boolean,
  what: string,
): Promise<void> {
  const waitMs = what === 'SIGKILL' ? KILL_WAIT_MS : STOP_WAIT_MS;
  for (let waited = 0; ; waited += 2) {
    const late = refs.find((ref) => !arrived(stateOf(ref)));
    if (!late) return;
    if (waited >= waitMs) {
      const message = `${describeProcess(late)} is in state ${stateOf(late)} after ${what}`;
      throw new Failure('signal-without-effect', message, { definite: false });
    }
    await sleep(2);
  }
}
