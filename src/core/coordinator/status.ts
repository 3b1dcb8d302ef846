import { formatInstant } from '../base/instant.ts';
import {
  endedEarly,
  hasEnded,
  overallState,
  type Effect,
  type EndedBy,
  type State,
} from '../model/lifecycle.ts';
import type { FaultStatus, NodeFaultStatus } from '../model/fault-status.ts';
import type { FaultRecord, Part } from './record.ts';

/** The state of a whole fault, out of its stage and its parts. */
export function stateOf(record: FaultRecord): State {
  const states = record.parts.map((part) => part.state);
  const open = states.filter((state) => !hasEnded(state));
  switch (record.stage) {
    case 'pending':
      return 'pending';
    case 'arming':
      return states.length > 0 && states.every((state) => state === 'armed') ? 'armed' : 'arming';
    case 'firing':
    case 'active':
      // One that has not fired yet keeps the whole from being active; while deadlines pass one node
      // after the other, the whole stands as long as one does.
      for (const state of ['arming', 'armed', 'active'] as const)
        if (open.includes(state)) return state;
      return overallState(open.length > 0 ? open : states);
    case 'ending':
      if (states.includes('stuck')) return 'stuck';
      // Never fired on any node: nothing is to be healed.
      return record.outcome === 'refused' ? 'arming' : 'healing';
    case 'ended':
      if (record.outcome !== undefined) return record.outcome;
      return states.includes('failed') ? 'failed' : overallState(states);
  }
}

/** One effect for the nodes': the worst one, and 'untestable' only where nothing was seen. */
export function effectOf(record: FaultRecord): Effect {
  const effects = record.parts.map((part) => part.report?.receipt.effect ?? 'pending');
  for (const effect of ['unseen', 'pending', 'seen'] as const)
    if (effects.includes(effect)) return effect;
  return effects.length === 0 ? 'pending' : 'untestable';
}

/** Who ended it: an early end of any node speaks for the whole. */
export function endedByOf(record: FaultRecord): EndedBy | undefined {
  const all = record.parts.flatMap((part) => part.report?.endedBy ?? []);
  return all.find((endedBy) => endedEarly(endedBy)) ?? all[0];
}

/** Between the first and the last node's fire instant, ms; from two nodes on. */
export function skewOf(record: FaultRecord): number | undefined {
  const fired = record.parts.flatMap((part) => part.firedBootMs ?? []);
  return fired.length < 2 ? undefined : Math.max(...fired) - Math.min(...fired);
}

/** When the first node fired, by the coordinator's wall clock. */
export function firedWallOf(record: FaultRecord): number | undefined {
  const fired = record.parts.flatMap((part) => part.firedWallMs ?? []);
  return fired.length === 0 ? undefined : Math.min(...fired);
}

/** When a part that cannot be asked ends by itself at the latest, ms of the wall clock; null: never. */
export function endsAtLatest(record: FaultRecord, part: Part): number | null {
  const ends: number[] = [];
  if (part.leaseEndsWallMs !== undefined) ends.push(part.leaseEndsWallMs);
  if (record.durationMs !== undefined && record.fireAtWallMs !== undefined)
    ends.push(record.fireAtWallMs + record.durationMs);
  return ends.length === 0 ? null : Math.min(...ends);
}

function nodeStatus(record: FaultRecord, part: Part): NodeFaultStatus {
  const { report } = part;
  const status: NodeFaultStatus = {
    state: part.state,
    problems: part.problems,
    openUndos: report?.openUndos ?? [],
  };
  if (part.firedWallMs !== undefined) status.firedAt = formatInstant(part.firedWallMs);
  if (part.endedWallMs !== undefined) status.endedAt = formatInstant(part.endedWallMs);
  if (report?.endedBy !== undefined) status.endedBy = report.endedBy;
  if (report !== undefined) {
    status.receipt = report.receipt;
    status.plan = report.plan;
  }
  const error = part.error ?? report?.error;
  if (error !== undefined) status.error = error;
  if (part.lostSinceWallMs !== undefined) {
    const latest = endsAtLatest(record, part);
    status.contact = {
      lostSince: formatInstant(part.lostSinceWallMs),
      endsAtLatest: latest === null ? null : formatInstant(latest),
    };
  }
  return status;
}

/** The fault as GET /v1/faults/{id} shows it. */
export function faultStatus(record: FaultRecord, owner: string): FaultStatus {
  const { resolution } = record;
  const status: FaultStatus = {
    id: record.id,
    kind: record.request.kind,
    request: record.request,
    state: stateOf(record),
    effect: effectOf(record),
    instance: record.instance,
    earlier: record.earlier,
    owner,
    targets: resolution?.targets ?? [],
    actors: resolution?.actors ?? [],
    createdAt: formatInstant(record.createdWallMs),
    nodes: Object.fromEntries(record.parts.map((part) => [part.node, nodeStatus(record, part)])),
    problems: record.problems,
  };
  const endedBy = endedByOf(record);
  if (endedBy !== undefined) status.endedBy = endedBy;
  if (record.request.run !== undefined) status.run = record.request.run;
  if (resolution?.expression !== undefined) {
    status.selector = { expression: resolution.expression, atArming: resolution.selected };
    if (record.atFiring !== undefined) status.selector.atFiring = record.atFiring;
  }
  if (record.armedWallMs !== undefined) status.armedAt = formatInstant(record.armedWallMs);
  const firedWallMs = firedWallOf(record);
  if (firedWallMs !== undefined) status.firedAt = formatInstant(firedWallMs);
  if (record.endedWallMs !== undefined) status.endedAt = formatInstant(record.endedWallMs);
  const skewMs = skewOf(record);
  if (skewMs !== undefined) status.skewMs = skewMs;
  if (record.stage === 'pending' && record.startWallMs !== undefined)
    status.nextAt = formatInstant(record.startWallMs);
  if (record.request.override !== undefined) status.override = record.request.override;
  return status;
}
