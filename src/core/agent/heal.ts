import type { State } from '../model/lifecycle.ts';
import { hasEnded } from '../model/lifecycle.ts';
import type { Answer } from '../model/query.ts';
import { ask } from './arm.ts';
import {
  LAST_LOOK_MS,
  RETRY_FIRST_MS,
  RETRY_MAX_MS,
  type Cause,
  type Fault,
  type Undo,
} from './state.ts';
import { progressOf } from './status.ts';
import { begin, push, remove, update, type Work } from './work.ts';

/** An armed fault that never fired: nothing was done, so nothing is undone. */
export function giveUp(work: Work, fault: Fault, cause: Cause): void {
  const state: State = cause.why === 'missed' || cause.why === 'lease' ? 'missed' : 'cancelled';
  const closed = update(work, fault, {
    cause,
    error: cause.error,
    undos: fault.undos.map((undo) => ({ ...undo, open: false })),
    receipt: { ...fault.receipt, effect: 'untestable', says: 'it never fired' },
  });
  end(work, closed, state);
}

/** Begins to heal: from here on only undos. */
export function heal(work: Work, fault: Fault, cause: Cause): void {
  const healing = update(work, fault, {
    state: 'healing',
    cause,
    error: cause.error,
    healingSinceMs: work.nowMs,
    nextLookMs: undefined,
    nextRefreshMs: undefined,
    // What was never begun in this process needs no undo.
    undos: fault.recovered
      ? fault.undos
      : fault.undos.map((undo) => (undo.step < fault.stepsBegun ? undo : { ...undo, open: false })),
  });
  push(work, healing);
}

/** Healing or stuck: the next undo, the last looks, or the end. */
export function healOn(work: Work, fault: Fault): void {
  if (fault.recovered && recoversLater(work, fault)) return;
  if (fault.state === 'stuck' && (fault.retryAtMs ?? 0) > work.nowMs) return;
  const { sample } = fault;
  // One who heals after another has died does so at once.
  const isLooking = fault.lastLooked !== true && fault.cause?.why !== 'failed' && !fault.recovered;
  if (sample && isLooking) return ask(work, fault, 'lastLook', [sample], LAST_LOOK_MS);
  const index = nextUndo(fault);
  const undo = fault.undos[index];
  if (undo) {
    const { key, doing } = begin(work, fault, 'undo', index);
    work.effects.push({ effect: 'perform', key, serial: doing?.serial ?? 0, act: undo.act });
    return;
  }
  if (fault.undos.some((each) => each.open)) return getStuck(work, fault);
  if (fault.receipt.healMs === undefined) {
    const healMs = work.nowMs - (fault.healingSinceMs ?? work.nowMs);
    fault = update(work, fault, { receipt: { ...fault.receipt, healMs } });
  }
  if (sample && fault.afterLooked !== true)
    return ask(work, fault, 'after', [sample], LAST_LOOK_MS);
  end(work, fault, finalState(fault));
}

/** What was read from the journal heals one by one, newest first; a stuck one holds nobody up. */
function recoversLater(work: Work, fault: Fault): boolean {
  return [...work.faults.values()].some(
    (other) =>
      other.recovered && other.state === 'healing' && (other.record ?? 0) > (fault.record ?? 0),
  );
}

/** The newest undo that is open and was not tried in this round. */
function nextUndo(fault: Fault): number {
  return fault.undos.findLastIndex((undo) => undo.open && undo.attempts <= fault.retries);
}

function finalState(fault: Fault): State {
  if (fault.cause?.why === 'failed') return 'failed';
  return fault.firedAtMs === undefined ? 'cancelled' : 'healed';
}

export function undone(work: Work, fault: Fault, index: number): void {
  const undos = changeUndo(fault, index, { open: false });
  const allClosed = undos.every((undo) => !undo.open);
  const healMs = work.nowMs - (fault.healingSinceMs ?? work.nowMs);
  update(work, fault, {
    undos,
    ...(allClosed ? { receipt: { ...fault.receipt, healMs } } : {}),
  });
}

export function undoFailed(work: Work, fault: Fault, index: number, message: string): void {
  const attempts = (fault.undos[index]?.attempts ?? 0) + 1;
  update(work, fault, { undos: changeUndo(fault, index, { attempts, lastError: message }) });
}

function changeUndo(fault: Fault, index: number, changes: Partial<Undo>): Undo[] {
  return fault.undos.map((undo, place) => (place === index ? { ...undo, ...changes } : undo));
}

function getStuck(work: Work, fault: Fault): void {
  const waitMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(10, fault.retries));
  const stuck = update(work, fault, {
    state: 'stuck',
    retries: fault.retries + 1,
    retryAtMs: work.nowMs + waitMs,
  });
  push(work, stuck);
}

/** The last look before healing: the evidence of a fault that was short, and its final counts. */
export function lastLooked(work: Work, fault: Fault, now: Answer | undefined): void {
  const { plan, receipt } = fault;
  const changes = now ? { ...receipt, during: now } : { ...receipt };
  const patient = plan && 'sample' in plan.witness && plan.witness.patient === true;
  const open = receipt.effect === 'pending' || (patient && receipt.effect === 'untestable');
  if (open && plan && 'sample' in plan.witness) {
    const seen = now && receipt.before && plan.witness.seen(receipt.before, now);
    changes.effect = seen ? 'seen' : 'untestable';
    if (seen) changes.says = plan.witness.says;
    else if (receipt.effect === 'pending')
      changes.says = `it ended before its effect could be seen: ${receipt.says}`;
  }
  const witness = plan?.witness;
  const weaker = now && witness && 'sample' in witness ? witness.weaker?.(now) : undefined;
  const notes = weaker === undefined ? fault.notes : [...fault.notes, weaker];
  update(work, fault, { lastLooked: true, receipt: changes, notes });
}

/** The machine after it; what others did up to the very end may show an effect that nobody had seen. */
export function afterLooked(work: Work, fault: Fault, after: Answer | undefined): void {
  const { plan, receipt } = fault;
  if (!after || !plan || !('sample' in plan.witness)) {
    update(work, fault, { afterLooked: true, receipt: after ? { ...receipt, after } : receipt });
    return;
  }
  const { patient, says, seen } = plan.witness;
  const isOpen = patient === true && receipt.effect === 'untestable';
  const isSeen = isOpen && receipt.before !== undefined && seen(receipt.before, after);
  const changes = isSeen ? { effect: 'seen' as const, says } : {};
  update(work, fault, { afterLooked: true, receipt: { ...receipt, after, ...changes } });
}

/** Nothing of it is on the machine any more: a tombstone is left until it is forgotten. */
export function end(work: Work, fault: Fault, state: State): void {
  const effect = fault.receipt.effect === 'pending' ? 'unseen' : fault.receipt.effect;
  const ended = update(work, fault, {
    state,
    receipt: { ...fault.receipt, effect },
    endedAtMs: work.nowMs,
    doing: undefined,
    plan: undefined,
  });
  push(work, ended);
  if (ended.record !== undefined) {
    const { record } = ended;
    work.effects.push({ effect: 'progress', record, progress: progressOf(ended) });
  }
  dropOldest(work);
}

/** Tombstones are bounded: the oldest go, acknowledged or not. */
function dropOldest(work: Work): void {
  const ended = [...work.faults.values()].filter((fault) => hasEnded(fault.state));
  for (const fault of ended.slice(0, Math.max(0, ended.length - work.state.limits.tombstones)))
    bury(work, fault);
}

/** Forgets a fault that has ended, in memory and in the journal. */
export function bury(work: Work, fault: Fault): void {
  remove(work, fault);
  if (fault.record !== undefined) work.effects.push({ effect: 'forget', record: fault.record });
}
