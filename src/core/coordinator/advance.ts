import type { Problem } from '../base/problem.ts';
import { endedEarly, hasEnded } from '../model/lifecycle.ts';
import type { Resolution } from './admission.ts';
import { finish } from './occurrence.ts';
import type { FaultRecord, Part } from './record.ts';
import type { Work } from './work.ts';

/** How long a cancelled arming may take to be confirmed by agents that answer. */
const ENDING_GRACE_MS = 2_000;
/** An agent that is still armed this long after the instant will not fire any more. */
const FIRE_GRACE_MS = 2_000;
/** Acts of an agent that has the message may take this long before it is given up. */
const ACTS_MAX_MS = 30_000;

/** Moves one fault through its stages as far as what is known allows. */
export function advance(work: Work, id: string): void {
  for (;;) {
    const record = work.peek(id);
    if (record === undefined || !moved(work, record)) return;
  }
}

/** @returns whether the stage changed. */
function moved(work: Work, record: FaultRecord): boolean {
  switch (record.stage) {
    case 'pending':
      return fromPending(work, record);
    case 'arming':
      return fromArming(work, record);
    case 'firing':
      return fromFiring(work, record);
    case 'active':
      return fromActive(work, record);
    case 'ending':
      return fromEnding(work, record);
    case 'ended':
      return false;
  }
}

function fromPending(work: Work, { id, startWallMs, resolution, instance }: FaultRecord): boolean {
  const { now, settings } = work;
  if (startWallMs !== undefined && startWallMs - settings.armAheadMs > now.wallMs) return false;
  const record = work.record(id) as FaultRecord;
  if (startWallMs !== undefined && startWallMs + settings.lateMaxMs < now.wallMs) {
    const lateMs = Math.round(now.wallMs - startWallMs);
    const message = `its start was ${lateMs} ms ago when the coordinator came to it`;
    beginEnding(work, record, 'missed', [{ path: '/startAt', message }]);
    return true;
  }
  // Admitted when it was asked for, a moment ago.
  if (resolution !== undefined && instance === 1 && startWallMs === undefined) {
    beginArming(work, record, resolution);
    return true;
  }
  work.effects.push({ effect: 'resolve', id, instance, purpose: 'arm' });
  return false;
}

export function beginArming(work: Work, record: FaultRecord, resolution: Resolution): void {
  record.stage = 'arming';
  record.resolution = resolution;
  record.problems = [];
  record.stageEndsBootMs = work.now.bootMs + work.settings.armTimeoutMs;
  record.parts = resolution.actors.map((node): Part => ({ node, state: 'arming', problems: [] }));
  work.durable.add(record.id);
}

function fromArming(work: Work, { id }: FaultRecord): boolean {
  const { now, settings } = work;
  const record = work.peek(id) as FaultRecord;
  const refusals = record.parts.filter((part) => hasEnded(part.state));
  if (refusals.length > 0) {
    refuse(work, id, refusals);
    return true;
  }
  const waiting = record.parts.filter((part) => part.state !== 'armed');
  const isOver = now.bootMs >= (record.stageEndsBootMs ?? Number.POSITIVE_INFINITY);
  if (waiting.length > 0) {
    if (isOver)
      refuseSilent(
        work,
        id,
        waiting.map((part) => part.node),
      );
    return isOver;
  }
  if (record.armedWallMs === undefined) {
    const armed = work.record(id) as FaultRecord;
    armed.armedWallMs = now.wallMs;
  }
  const { startWallMs } = record;
  if (startWallMs !== undefined && startWallMs - settings.fireAheadMs > now.wallMs) return false;
  if (startWallMs !== undefined && startWallMs + settings.lateMaxMs < now.wallMs) {
    const message = 'it was not armed in time';
    beginEnding(work, work.record(id) as FaultRecord, 'missed', [{ path: '/startAt', message }]);
    return true;
  }
  if (record.resolution?.live === true) {
    // The look at the cluster may take longer than a tick; each answer counts, the first decides.
    work.effects.push({ effect: 'resolve', id, instance: record.instance, purpose: 'fire' });
    return false;
  }
  fire(work, work.record(id) as FaultRecord);
  return true;
}

function refuse(work: Work, id: string, refusals: readonly Part[]): void {
  const record = work.record(id) as FaultRecord;
  const problems = refusals.flatMap((part): Problem[] =>
    part.problems.length > 0
      ? part.problems.map((each) => ({ ...each, message: `${part.node}: ${each.message}` }))
      : [{ path: '', message: `${part.node}: ${part.error ?? `is ${part.state}`}` }],
  );
  const conflict = refusals.find((part) => part.conflictsWith !== undefined)?.conflictsWith;
  if (conflict !== undefined) record.conflictsWith = conflict;
  beginEnding(work, record, unarmed(record), problems);
}

/** What was armed everywhere is not refused any more: it misses its start. */
function unarmed(record: FaultRecord): 'refused' | 'missed' {
  return record.armedWallMs === undefined ? 'refused' : 'missed';
}

function refuseSilent(work: Work, id: string, nodes: readonly string[]): void {
  const record = work.record(id) as FaultRecord;
  const problems: Problem[] = [];
  for (const part of record.parts) {
    if (!nodes.includes(part.node)) continue;
    const says = work.ready(part.node) ? 'did not answer in time' : 'is unreachable';
    part.error = `its agent ${says}`;
    // It may have armed unheard: it is not told to fire, and heals when it comes back or its lease ends.
    part.state = 'refused';
    problems.push({ path: '/targets', message: `node '${part.node}': its agent ${says}` });
  }
  beginEnding(work, record, 'refused', problems);
}

/** Decides to fire: durable before anything is sent, since from then on it may have fired. */
export function fire(work: Work, record: FaultRecord): void {
  record.stage = 'firing';
  record.stageEndsBootMs = work.now.bootMs + FIRE_GRACE_MS;
  work.durable.add(record.id);
  work.effects.push({ effect: 'decided', id: record.id, instance: record.instance });
}

/** The decision is on disk: sets the instant, a few round trips from now or the planned start. */
export function setInstant(work: Work, record: FaultRecord): void {
  const { now, settings } = work;
  const roundTrips = record.parts.map((part) => work.link(part.node)?.clock.roundTripMs ?? 0);
  const leadMs = Math.max(settings.fireLeadMinMs, 4 * Math.max(0, ...roundTrips));
  const untilStartMs = (record.startWallMs ?? now.wallMs) - now.wallMs;
  const inMs = Math.max(leadMs, untilStartMs);
  record.fireAtBootMs = now.bootMs + inMs;
  record.fireAtWallMs = now.wallMs + inMs;
  record.stageEndsBootMs = record.fireAtBootMs + FIRE_GRACE_MS;
  for (const part of record.parts) {
    part.fireAtNodeBootMs = record.fireAtBootMs + (work.link(part.node)?.clock.offsetMs ?? 0);
  }
}

function fromFiring(work: Work, { id }: FaultRecord): boolean {
  const record = work.peek(id) as FaultRecord;
  if (failedPart(work, id)) return true;
  const waiting = record.parts.filter((part) => part.state === 'armed' || part.state === 'arming');
  if (waiting.length === 0) {
    (work.record(id) as FaultRecord).stage = 'active';
    return true;
  }
  // Only what an agent says counts: one that is out of contact may have fired.
  const endsBootMs = record.stageEndsBootMs ?? Number.POSITIVE_INFINITY;
  const unfired = waiting.filter(
    (part) =>
      part.lostSinceWallMs === undefined &&
      work.now.bootMs >= endsBootMs + (part.fireTold === true ? ACTS_MAX_MS : 0),
  );
  if (unfired.length === 0) return false;
  const names = unfired.map((part) => part.node).join(', ');
  const message = `${names} did not fire in time; the others are healed`;
  beginEnding(work, work.record(id) as FaultRecord, 'missed', [{ path: '', message }]);
  return true;
}

/** A part whose acts failed, or that was refused or missed, ends the fault everywhere. */
function failedPart(work: Work, id: string): boolean {
  const record = work.peek(id) as FaultRecord;
  const failed = record.parts.filter((part) =>
    ['failed', 'refused', 'missed', 'cancelled'].includes(part.state),
  );
  if (failed.length === 0) return false;
  const problems = failed.map((part): Problem => {
    const says = part.error ?? part.report?.error ?? `is ${part.state}`;
    return { path: '', message: `${part.node}: ${says}` };
  });
  const outcome = failed.some((part) => part.state === 'failed') ? 'failed' : 'missed';
  beginEnding(work, work.record(id) as FaultRecord, outcome, problems);
  return true;
}

function fromActive(work: Work, { id }: FaultRecord): boolean {
  if (failedPart(work, id)) return true;
  const record = work.peek(id) as FaultRecord;
  const early = record.parts.filter((part) => endedEarly(part.report?.endedBy));
  const isOver = record.parts.every((part) => hasEnded(part.state));
  if (!isOver && early.length === 0) return false;
  beginEnding(work, work.record(id) as FaultRecord, undefined, isOver ? [] : early.map(endedAlone));
  return true;
}

/** A fault is in force everywhere or nowhere: half of one is a fault that nobody asked for. */
function endedAlone({ node, report }: Part): Problem {
  return {
    path: '',
    message: `${node}: ended early, by ${report?.endedBy}; the others are healed`,
  };
}

/** @param outcome undefined: healed, or failed, as its parts will say. */
export function beginEnding(
  work: Work,
  record: FaultRecord,
  outcome: FaultRecord['outcome'],
  problems: readonly Problem[],
): void {
  record.stage = 'ending';
  if (outcome !== undefined) record.outcome = outcome;
  record.problems = [...record.problems, ...problems];
  record.stageEndsBootMs = work.now.bootMs + ENDING_GRACE_MS;
  work.durable.add(record.id);
}

function fromEnding(work: Work, { id }: FaultRecord): boolean {
  const record = work.peek(id) as FaultRecord;
  const open = record.parts.filter((part) => !hasEnded(part.state));
  const hasFired = record.fireAtBootMs !== undefined;
  const isOver = work.now.bootMs >= (record.stageEndsBootMs ?? 0);
  if (open.length > 0) {
    // What was never told to fire cannot stand: nobody has to wait for an agent that is silent.
    const droppable = hasFired ? [] : open.filter((part) => isOver || isUnreachable(work, part));
    if (droppable.length < open.length) return false;
    const changed = work.record(id) as FaultRecord;
    for (const part of changed.parts) {
      if (!hasEnded(part.state)) part.state = 'cancelled';
    }
  }
  finish(work, work.record(id) as FaultRecord);
  return true;
}

function isUnreachable(work: Work, part: Part): boolean {
  return work.link(part.node)?.up !== true;
}
