import type { Polled, ValueRange } from './operation.ts';

/**
 * The history, in Jepsen's shape: `invoke`, then `ok` (it happened), `fail` (it certainly did not) or
 * `info` (nobody knows), one JSON line each, in the order in which they happened. Times are
 * nanoseconds of CLOCK_MONOTONIC on the machine that ran the workload.
 *
 * Granularity is the batch: at 20,000 records/s a line a record is too much.
 * - `send`: one produce request with one batch for one topic-partition, one attempt; a retry is a new
 *   pair of lines with the same values and the next `attempt`. An invoke without an end is `info`.
 * - `poll`: one topic-partition's share of one fetch response. A poll has no effect, so its invoke
 *   says nothing: it is folded into `started`, and polls that bring nothing are left out.
 * - `assign`, `seek`: where a reader stands from here on.
 * - `finalRead`: a reader has read everything between `from` and `to` (ok), or could not (info).
 * - `controller`: what one controller answered of the quorum.
 * - process 'nemesis': `fault` begin and end as the coordinator saw them, merged in afterwards.
 */
export type HistoryEntry =
  | HistoryHeader
  | SendInvoked
  | SendEnded
  | PollEntry
  | AssignEntry
  | SeekEntry
  | FinalReadEntry
  | ControllerEntry
  | NoteEntry
  | FaultEntry;

export interface HistoryHeader {
  type: 'header';
  version: 1;
  workload: string;
  /** Identity of the run, inside every record too. */
  run: string;
  topics: { name: string; topicPartitions: number }[];
  writers: number;
  readers: number;
  acks: 'all' | '1' | '0';
  idempotence: boolean;
  /** Controllers that are asked, by node. */
  controllers?: string[];
  /** The same instant on both clocks, so that others can put their entries in. */
  clock: { monotonicNs: number; wallMs: number };
  parameters: Record<string, unknown>;
}

interface Base {
  index: number;
  timeNs: number;
  /** Producers are 0 .. writers-1, readers follow them, then who asks the controllers. */
  process: number;
}

export interface SendInvoked extends Base {
  type: 'invoke';
  f: 'send';
  value: ValueRange;
  attempt: number;
  /** Broker the request goes to. */
  broker: number;
}

export interface SendEnded extends Base {
  type: 'ok' | 'fail' | 'info';
  f: 'send';
  /** Index of its invoke. */
  of: number;
  value: ValueRange;
  attempt: number;
  /** Offset of the first record; -1: acknowledged without one. Only in `ok`. */
  offset?: number;
  error?: string;
}

export interface PollEntry extends Base {
  type: 'ok' | 'fail' | 'info';
  f: 'poll';
  startedNs: number;
  /** `true` while it belongs to the final read. */
  final?: boolean;
  value?: Polled;
  /** Of a poll that did not succeed. */
  topic?: number;
  topicPartition?: number;
  error?: string;
}

export interface AssignEntry extends Base {
  type: 'ok';
  f: 'assign';
  positions: { topic: number; topicPartition: number; offset: number }[];
}

export interface SeekEntry extends Base {
  type: 'ok';
  f: 'seek';
  topic: number;
  topicPartition: number;
  from: number;
  to: number;
  why: string;
}

export interface FinalReadEntry extends Base {
  type: 'ok' | 'info';
  f: 'finalRead';
  topic: number;
  topicPartition: number;
  /** Log start and end when the read began; `reached` is where it came to. */
  from: number;
  to: number;
  reached: number;
  error?: string;
}

/** Whom a controller takes for the active one, asked itself. Answers are recorded, silence is not. */
export interface ControllerEntry extends Base {
  type: 'ok';
  f: 'controller';
  startedNs: number;
  /** Who was asked. */
  node: string;
  /** Its Kafka id. */
  id: number;
  /** Kafka id of the active controller; -1: not the one asked, which says no more than that. */
  leader: number;
  /** -1: not said. */
  epoch: number;
}

/** Something a person wants to see in the order of things: a new producer id, a phase. */
export interface NoteEntry extends Base {
  type: 'info';
  f: 'note';
  note: string;
}

export interface FaultEntry {
  type: 'info';
  process: 'nemesis';
  f: 'fault';
  index: number;
  timeNs: number;
  /** begin: first act performed; end: everywhere healed. */
  event: 'begin' | 'end';
  id: string;
  kind: string;
  targets: string[];
}

/** A fault as whoever ran it saw it; times in milliseconds since the epoch. */
export interface FaultInterval {
  id: string;
  kind: string;
  targets: string[];
  beganMs: number;
  /** Absent: still in force at the end. */
  endedMs?: number;
}

/** Turns the coordinator's wall time into the history's clock (offset: their wall minus ours, ms). */
export function historyTimeNs(header: HistoryHeader, wallMs: number, offsetMs = 0): number {
  const sinceMs = wallMs - offsetMs - header.clock.wallMs;
  return header.clock.monotonicNs + Math.round(sinceMs * 1e6);
}

/** Begin and end entries of faults, sorted by time, in the clock of the history. */
export function faultEntries(
  header: HistoryHeader,
  faults: readonly FaultInterval[],
  offsetMs = 0,
): FaultEntry[] {
  const entries: FaultEntry[] = [];
  for (const { id, kind, targets, beganMs, endedMs } of faults) {
    const base = { type: 'info', process: 'nemesis', f: 'fault', index: -1 } as const;
    const timeNs = historyTimeNs(header, beganMs, offsetMs);
    entries.push({ ...base, timeNs, event: 'begin', id, kind, targets });
    if (endedMs === undefined) continue;
    // A clock that was set back between the two makes no fault that never ends.
    const endNs = Math.max(timeNs, historyTimeNs(header, endedMs, offsetMs));
    entries.push({ ...base, timeNs: endNs, event: 'end', id, kind, targets });
  }
  return entries.sort((a, b) => a.timeNs - b.timeNs);
}

/** Reads one line; undefined where it is no entry (a torn last line, damage). */
export function parseHistoryLine(line: string): HistoryEntry | undefined {
  try {
    const entry = JSON.parse(line) as HistoryEntry;
    return typeof entry === 'object' && entry !== null && typeof entry.type === 'string'
      ? entry
      : undefined;
  } catch {
    // Not JSON: torn by a crash. Whether that is allowed depends on where it stands.
    return undefined;
  }
}
