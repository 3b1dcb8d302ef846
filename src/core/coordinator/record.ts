import { durationMs } from '../base/duration.ts';
import { fnv1a64 } from '../base/hash.ts';
import { parseInstant } from '../base/instant.ts';
import type { Problem } from '../base/problem.ts';
import { DEFAULT_LEASE_MS, type FaultRequest } from '../model/fault-request.ts';
import type { AgentFaultStatus, FaultStatus } from '../model/fault-status.ts';
import type { State } from '../model/lifecycle.ts';
import type { NodeName } from '../model/topology.ts';
import type { Resolution } from './admission.ts';

/** The coordinator's clocks at one moment. */
export interface Instant {
  /** Milliseconds since the epoch. */
  wallMs: number;
  /** Monotonic milliseconds; fire instants and waits are measured in it. */
  bootMs: number;
}

/**
 * Where a fault stands in the coordinator's mind:
 * pending (waits for its time) > arming > firing (decided, durable) > active > ending > ended.
 */
export type Stage = 'pending' | 'arming' | 'firing' | 'active' | 'ending' | 'ended';

/** One acting node's part in the current occurrence of a fault. */
export interface Part {
  node: NodeName;
  /** As its agent last reported; 'pending' before that. */
  state: State;
  report?: AgentFaultStatus;
  /** The node's own boot clock, ms: when it was told to fire. */
  fireAtNodeBootMs?: number;
  /** It has acknowledged that message. */
  fireTold?: boolean;
  /** By the coordinator's wall clock: the latest its lease can end. Absent with lease 'none'. */
  leaseEndsWallMs?: number;
  /** Node's boot clock when it fired, as the coordinator's. */
  firedBootMs?: number;
  firedWallMs?: number;
  endedWallMs?: number;
  /** No contact since, by the wall clock. */
  lostSinceWallMs?: number;
  problems: Problem[];
  error?: string;
  conflictsWith?: string;
}

/** A fault as the coordinator keeps it, durable. Plain JSON. */
export interface FaultRecord {
  id: string;
  request: FaultRequest;
  createdWallMs: number;
  /** Ended after `duration`; absent: until healed, or a kind that does not stand. */
  durationMs?: number;
  /** Absent with lease 'none'. */
  leaseMs?: number;
  everyMs?: number;
  /** Planned start of the first occurrence; absent: at once. */
  firstWallMs?: number;
  instance: number;
  /** Planned start of this occurrence. */
  startWallMs?: number;
  stage: Stage;
  /** How it will have ended where that is not healed or failed by its parts. */
  outcome?: 'refused' | 'missed' | 'cancelled' | 'failed';
  /** Somebody asked for its end: no further occurrences. */
  stop: boolean;
  resolution?: Resolution;
  /** Whom the selector named when it was to fire. */
  atFiring?: NodeName[];
  /** Boot clock: when this stage has to be over (arming, ending). */
  stageEndsBootMs?: number;
  armedWallMs?: number;
  fireAtBootMs?: number;
  fireAtWallMs?: number;
  endedWallMs?: number;
  parts: Part[];
  problems: Problem[];
  /** An id of a fault (or owner) that stood in the way at arming. */
  conflictsWith?: string;
  earlier: FaultStatus['earlier'];
}

/** Earlier occurrences kept in a record. */
export const EARLIER_MAX = 100;

/**
 * A new fault out of a request that passed checkRequest.
 * @param resolution whom it means, for one that starts at once.
 */
export function newRecord(
  request: FaultRequest,
  now: Instant,
  resolution: Resolution | undefined,
): FaultRecord {
  const record: FaultRecord = {
    id: request.id,
    request,
    createdWallMs: now.wallMs,
    instance: 1,
    stage: 'pending',
    stop: false,
    parts: [],
    problems: [],
    earlier: [],
  };
  if (request.duration !== undefined) record.durationMs = durationMs(request.duration);
  if (request.lease !== 'none')
    record.leaseMs = request.lease === undefined ? DEFAULT_LEASE_MS : durationMs(request.lease);
  if (request.every !== undefined) record.everyMs = durationMs(request.every);
  const startMs =
    request.startAt === undefined
      ? request.after === undefined
        ? undefined
        : now.wallMs + durationMs(request.after)
      : parseInstant(request.startAt);
  if (startMs !== undefined) record.firstWallMs = record.startWallMs = startMs;
  // Repetition is counted from the first start, whenever that was.
  else if (record.everyMs !== undefined) record.firstWallMs = now.wallMs;
  if (resolution) record.resolution = resolution;
  return record;
}

/** The seed of an occurrence's own chance, decimal. */
export function seedOf(record: FaultRecord): string {
  return fnv1a64(`${record.id}#${record.instance}`).toString();
}

/** A copy whose parts can be changed without changing the original. */
export function copyRecord(record: FaultRecord): FaultRecord {
  return { ...record, parts: record.parts.map((part) => ({ ...part })) };
}
