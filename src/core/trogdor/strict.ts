import type { NodeName } from '../model/topology.ts';
import { wordsOf } from './spec.ts';
import type { TaskRecord, TaskState } from './task.ts';

/** How often Trogdor's coordinator asks each agent what its workers do. */
const HEARTBEAT_MS = 1_000;
/** What it says of a worker before its agent was asked about it. */
const UNHEARD = 'receiving';

/**
 * A task as Trogdor's coordinator would show it, which says RUNNING when the time to start has come,
 * whatever nodes have done, and hears of anything else once a heartbeat: from the start on, and, as it
 * asks at once when a stop is asked for, from then on anew.
 * @param truth what is known of it now.
 */
export function strictState(record: TaskRecord, truth: TaskState, nowMs: number): TaskState {
  const { startMs, stoppedMs } = record;
  const neverDue = nowMs < startMs || (stoppedMs !== undefined && stoppedMs < startMs);
  if (neverDue) return truth;
  const { spec, startedMs: begunMs = -1 } = truth;
  const isHeard = begunMs >= 0 && nowMs >= beatFrom(begunMs, startMs, stoppedMs);
  const isStopped = stoppedMs !== undefined;
  if (truth.state === 'DONE') {
    const endMs = truth.doneMs ?? nowMs;
    const heardMs = beatFrom(Math.max(endMs, startMs), startMs, stoppedMs);
    // The error of one node is heard first, and only then are the others told to stop.
    const tellsOthers = truth.error !== undefined && !isStopped && record.nodes.length > 1;
    const doneMs = heardMs + (tellsOthers ? HEARTBEAT_MS : 0);
    if (nowMs >= doneMs) return { ...truth, startedMs: startMs, doneMs };
    const state = isStopped || nowMs >= heardMs ? 'STOPPING' : 'RUNNING';
    const status = ofNodes(record, isHeard ? wordsOf(record.id, record.spec).active : UNHEARD);
    const isLoad = isHeard && record.loads !== undefined;
    return { state, spec, startedMs: startMs, status: isLoad ? truth.status : status };
  }
  const state = isStopped ? 'STOPPING' : 'RUNNING';
  const status = isHeard ? truth.status : ofNodes(record, UNHEARD);
  return { state, spec, startedMs: startMs, status };
}

/** The first heartbeat that tells of what happens at an instant. */
function beatFrom(atMs: number, startMs: number, stoppedMs: number | undefined): number {
  const next = (from: number): number => {
    const beats = Math.max(1, Math.ceil((atMs - from) / HEARTBEAT_MS));
    return from + beats * HEARTBEAT_MS;
  };
  if (stoppedMs === undefined) return next(startMs);
  return atMs <= stoppedMs ? Math.min(next(startMs), stoppedMs) : next(stoppedMs);
}

function ofNodes({ nodes }: TaskRecord, words: string): unknown {
  const all: [NodeName, string][] = nodes.map((node) => [node, words]);
  return all.length === 1 ? words : Object.fromEntries(all);
}
