import { formatDuration } from '../base/duration.ts';
import { formatInstant } from '../base/instant.ts';
import { hasEnded } from '../model/lifecycle.ts';
import type { RunPhase } from '../model/run.ts';
import type { Verdict } from '../model/verdict.ts';
import {
  inPhase,
  LATEST_MS,
  PATIENCE_MS,
  recoveryMs,
  REFUSED_RETRY_MS,
  requestOf,
  roundMs,
  silentMs,
  steadyMs,
  type RunOrder,
  type RunRecord,
  type RunView,
} from './run-record.ts';

/** The record after a moment, and what is to be done now; orders are repeated until they show. */
export interface RunStep {
  record: RunRecord;
  orders: RunOrder[];
}

const stay = (record: RunRecord, ...orders: RunOrder[]): RunStep => ({ record, orders });

function go(record: RunRecord, phase: RunPhase, view: RunView): RunStep {
  return stay(inPhase(record, phase, view.nowMs, formatInstant(view.nowMs)));
}

/**
 * One moment of a run: pure. starting → steadyState → faults → healing → recovery → finalRead →
 * checking → done. It is driven by levels, not by edges: what it orders follows from the record and
 * what is seen now, so a coordinator that was away just goes on.
 *
 * Whatever goes wrong or is cancelled, the way leads through healing: nothing of a run stays behind.
 */
export function stepRun(record: RunRecord, view: RunView): RunStep {
  const watched = withProgress(record, view);
  switch (watched.status.phase) {
    case 'starting':
      return starting(watched, view);
    case 'steadyState':
      return steadyState(watched, view);
    case 'faults':
      return faults(watched, view);
    case 'healing':
      return healing(watched, view);
    case 'recovery':
      return recovery(watched, view);
    case 'finalRead':
      return finalRead(watched, view);
    case 'checking':
      return watched.ending ? finish(watched, view) : stay(watched, { order: 'check' });
    case 'done':
      return stay(watched);
  }
}

/** The run ends early: everything heals, nothing is judged. */
export function endEarly(
  record: RunRecord,
  outcome: 'cancelled' | 'failed',
  error?: string,
): RunRecord {
  if (record.status.phase === 'done' || record.ending) return record;
  return { ...record, ending: error === undefined ? { outcome } : { outcome, error } };
}

function withProgress(record: RunRecord, view: RunView): RunRecord {
  const { workload } = view;
  if (workload === undefined) return record;
  const { offered, acknowledged, failed, unknown, read, perSecond, latencyMs } = workload;
  const progress = {
    atMs: workload.updatedAtMs,
    offered,
    acknowledged,
    failed,
    unknown,
    read,
    acknowledgedPerSecond: perSecond.acknowledged,
    readPerSecond: perSecond.read,
    latencyMs: { p50: latencyMs.p50, p99: latencyMs.p99, max: latencyMs.max },
  };
  return { ...record, status: { ...record.status, progress } };
}

/** Notes since when a condition holds. */
function holding(record: RunRecord, holds: boolean, nowMs: number): RunRecord {
  if (holds) return { ...record, holdsSinceMs: record.holdsSinceMs ?? nowMs };
  const { holdsSinceMs: _broken, ...rest } = record;
  return rest;
}

function heldFor(record: RunRecord, lengthMs: number, nowMs: number): boolean {
  return record.holdsSinceMs !== undefined && nowMs - record.holdsSinceMs >= lengthMs;
}

/** Why the run cannot go on with its workload, if so. */
function broken(view: RunView): string | undefined {
  const { workload } = view;
  if (workload?.phase !== 'failed') return undefined;
  return `the workload failed: ${workload.error ?? 'nobody knows why'}`;
}

/** What every phase before healing shares: an end that was asked for, a workload that broke. */
function interrupted(record: RunRecord, view: RunView): RunStep | undefined {
  const reason = broken(view);
  const ended = reason === undefined ? record : endEarly(record, 'failed', reason);
  return ended.ending ? go(ended, 'healing', view) : undefined;
}

function gaveUp(
  record: RunRecord,
  view: RunView,
  patienceMs: number,
  what: string,
): RunStep | undefined {
  if (view.nowMs - record.phaseAtMs < patienceMs) return undefined;
  const error = `${what} within ${formatDuration(patienceMs)}`;
  return go(endEarly(record, 'failed', error), 'healing', view);
}

function starting(record: RunRecord, view: RunView): RunStep {
  const early = interrupted(record, view);
  if (early) return early;
  const phase = view.workload?.phase;
  if (record.status.scenario.workload === undefined || phase === 'running') {
    return go(record, 'steadyState', view);
  }
  const late = gaveUp(record, view, PATIENCE_MS.starting, 'the workload did not start');
  return late ?? stay(record, { order: 'startWorkload' });
}

/** Notes when a slow load last succeeded: it need not every second, its own pace is what counts. */
function withSuccess(record: RunRecord, view: RunView): RunRecord {
  const isSlow = silentMs(record.status.scenario) > 0;
  return isSlow && succeedsNow(view) ? { ...record, succeededAtMs: view.nowMs } : record;
}

function succeedsNow(view: RunView): boolean {
  return (view.workload?.perSecond.acknowledged ?? 0) > 0;
}

function succeeds({ succeededAtMs, status }: RunRecord, view: RunView): boolean {
  if (succeedsNow(view) || succeededAtMs === undefined) return succeedsNow(view);
  return view.nowMs - succeededAtMs <= silentMs(status.scenario);
}

function steadyState(record: RunRecord, view: RunView): RunStep {
  const early = interrupted(record, view);
  if (early) return early;
  const loaded = record.status.scenario.workload !== undefined;
  const seen = withSuccess(record, view);
  const next = holding(seen, !loaded || (succeeds(seen, view) && view.whole), view.nowMs);
  const lengthMs = steadyMs(record.status.scenario);
  if (heldFor(next, loaded ? lengthMs : 0, view.nowMs)) {
    const begun = go(next, 'faults', view);
    return stay({ ...begun.record, faultsAtMs: view.nowMs });
  }
  const patienceMs = PATIENCE_MS.steadyState + lengthMs + silentMs(record.status.scenario);
  const says = view.whole ? 'the workload did not succeed steadily' : view.wholeSays;
  return gaveUp(next, view, patienceMs, `no steady state (${says})`) ?? stay(next);
}

function faults(record: RunRecord, view: RunView): RunStep {
  const early = interrupted(record, view);
  if (early) return early;
  const { schedule } = record.status;
  const sinceMs = view.nowMs - (record.faultsAtMs ?? view.nowMs);
  let next = record;
  for (;;) {
    const fault = schedule.faults[next.nextFault];
    const request = requestOf(next.status, next.nextFault);
    if (fault === undefined || request === undefined || fault.atMs > sinceMs) break;
    if (sinceMs - fault.atMs <= LATEST_MS) {
      return stay(next, { order: 'createFault', position: next.nextFault, request });
    }
    next = faultSkipped(next, next.nextFault, 'its time had passed: the coordinator was away');
  }
  return sinceMs >= schedule.durationMs ? go(next, 'healing', view) : stay(next);
}

/** A fault of the schedule stands in the coordinator's books. */
export function faultCreated(record: RunRecord, position: number): RunRecord {
  const id = requestOf(record.status, position)?.id;
  if (id === undefined || record.nextFault !== position) return record;
  const faults = [...record.status.faults, id];
  return { ...record, nextFault: position + 1, status: { ...record.status, faults } };
}

/** A fault of the schedule is passed over, for a reason people can read. */
export function faultSkipped(record: RunRecord, position: number, reason: string): RunRecord {
  const fault = record.status.schedule.faults[position];
  const id = requestOf(record.status, position)?.id;
  if (fault === undefined || id === undefined || record.nextFault !== position) return record;
  const entry = { id, kind: fault.kind, atMs: fault.atMs, reason };
  const skipped = [...record.status.skipped, entry];
  return { ...record, nextFault: position + 1, status: { ...record.status, skipped } };
}

/** The coordinator said no. It is asked again for a while: the fault before may still be healing. */
export function faultRefused(
  record: RunRecord,
  position: number,
  reason: string,
  nowMs: number,
): RunRecord {
  const dueMs = (record.faultsAtMs ?? nowMs) + (record.status.schedule.faults[position]?.atMs ?? 0);
  return nowMs - dueMs < REFUSED_RETRY_MS ? record : faultSkipped(record, position, reason);
}

function healing(record: RunRecord, view: RunView): RunStep {
  const open = view.faults.filter(({ state }) => !hasEnded(state));
  const late = view.nowMs - record.phaseAtMs >= PATIENCE_MS.healing;
  if (open.length > 0 && !late) {
    return stay(record, ...open.map(({ id }): RunOrder => ({ order: 'healFault', id })));
  }
  const stuck = open.map(({ id, state }) => `${id} is ${state}`).join(', ');
  const next =
    stuck === '' ? record : endEarly(record, 'failed', `not everything healed: ${stuck}`);
  if (next.ending) return finish(next, view);
  return go(next, 'recovery', view);
}

/**
 * Leaders, in-sync replicas and acknowledgements must be back, and stay for this long; and a load that
 * takes longer to come to every topic-partition goes on until it has.
 */
const WHOLE_FOR_MS = 2_000;

function recovery(record: RunRecord, view: RunView): RunStep {
  if (broken(view) !== undefined || record.ending) {
    const reason = broken(view);
    return finish(reason === undefined ? record : endEarly(record, 'failed', reason), view);
  }
  const loaded = record.status.scenario.workload !== undefined;
  const seen = withSuccess(record, view);
  const next = holding(seen, view.whole && (!loaded || succeeds(seen, view)), view.nowMs);
  const tookMs = (next.holdsSinceMs ?? view.nowMs) - next.phaseAtMs;
  const limitMs = recoveryMs(record.status.scenario);
  const recovered = heldFor(next, WHOLE_FOR_MS, view.nowMs);
  const sinceMs = view.nowMs - next.phaseAtMs;
  const isSeen = recovered && sinceMs >= roundMs(record.status.scenario);
  if (!isSeen && sinceMs < limitMs) return stay(next);
  const lacks = view.whole ? 'nothing is acknowledged' : view.wholeSays;
  const says = recovered
    ? `whole again after ${formatDuration(tookMs)}`
    : `not whole within ${formatDuration(limitMs)}: ${lacks}`;
  const status = { ...next.status, recovery: { recovered, afterMs: tookMs, says } };
  const noted = { ...next, status };
  return loaded ? go(noted, 'finalRead', view) : finish(noted, view);
}

function finalRead(record: RunRecord, view: RunView): RunStep {
  const phase = view.workload?.phase;
  if (record.ending) return finish(record, view);
  // A workload that failed has a history all the same: the checkers say what it is worth.
  if (phase === 'read' || phase === 'closed' || phase === 'failed')
    return go(record, 'checking', view);
  if (view.nowMs - record.phaseAtMs >= PATIENCE_MS.finalRead) return go(record, 'checking', view);
  return stay(record, { order: 'finalRead' });
}

/** The checkers have spoken. */
export function checked(record: RunRecord, verdict: Verdict, nowMs: number): RunRecord {
  if (record.status.phase !== 'checking') return record;
  const at = formatInstant(nowMs);
  const done = inPhase(record, 'done', nowMs, at);
  return { ...done, status: { ...done.status, verdict, outcome: 'finished', endedAt: at } };
}

function finish(record: RunRecord, view: RunView): RunStep {
  const at = formatInstant(view.nowMs);
  const done = inPhase(record, 'done', view.nowMs, at);
  const { outcome, error } = record.ending ?? { outcome: 'finished' as const, error: undefined };
  const status = { ...done.status, outcome, endedAt: at };
  if (error !== undefined) status.error = error;
  const orders: RunOrder[] = record.status.workload ? [{ order: 'closeWorkload' }] : [];
  return stay({ ...done, status }, ...orders);
}
