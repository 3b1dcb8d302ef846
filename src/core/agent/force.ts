import { startsProcess } from '../model/act.ts';
import { KERNEL_REFRESH_MS, KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import type { Answer } from '../model/query.ts';
import { ask } from './arm.ts';
import { giveUp, heal } from './heal.ts';
import { ARMED_MAX_MS, FIRE_LATE_MAX_MS, LOOK_EVERY_MS, type Cause, type Fault } from './state.ts';
import { deadlineOf, progressOf } from './status.ts';
import { needsUpkeep, nextUpkeep } from './upkeep.ts';
import { begin, push, update, type Work } from './work.ts';

const LOOK_TIMEOUT_MS = 2_000;
const PATIENT_LOOK_EVERY_MS = 1_000;

/** When an armed fault that nobody fires is given up. */
export function armedUntil(fault: Fault): number {
  const longest = (fault.armedAtMs ?? 0) + ARMED_MAX_MS;
  if (fault.leaseEndsMs !== undefined) return Math.min(fault.leaseEndsMs, longest);
  return longest;
}

/** Armed and not fired: waits for its instant, and for no longer than its lease. */
export function waitArmed(work: Work, fault: Fault): void {
  if (fault.wanted) return giveUp(work, fault, fault.wanted);
  const { fireAtMs, leaseEndsMs } = fault;
  const leaseOver = leaseEndsMs !== undefined && leaseEndsMs <= work.nowMs;
  if (fireAtMs !== undefined && fireAtMs <= work.nowMs && !leaseOver) {
    const lateMs = work.nowMs - fireAtMs;
    if (lateMs <= FIRE_LATE_MAX_MS) return fire(work, fault);
    const error = `the agent was held up, ${Math.round(lateMs)} ms past the instant`;
    return giveUp(work, fault, { why: 'missed', error });
  }
  if (leaseOver) return giveUp(work, fault, { why: 'lease', error: 'its lease ended' });
  if (fireAtMs === undefined && armedUntil(fault) <= work.nowMs) {
    const error = `nobody fired it within ${ARMED_MAX_MS / 1000} s`;
    giveUp(work, fault, { why: 'missed', error });
  }
}

function fire(work: Work, fault: Fault): void {
  const fired = update(work, fault, { firedAtMs: work.nowMs });
  nextStep(work, fired);
}

/** Why a fault in force ends now, if it does: of several reasons, the one that came first. */
export function endOf(fault: Fault, nowMs: number): Cause | undefined {
  if (fault.wanted) return fault.wanted;
  const ends: { at: number; why: 'deadline' | 'lease' | 'kernelExpiry' }[] = [];
  const deadline = deadlineOf(fault);
  if (deadline !== undefined) ends.push({ at: deadline, why: 'deadline' });
  if (fault.leaseEndsMs !== undefined) ends.push({ at: fault.leaseEndsMs, why: 'lease' });
  if (fault.refreshedAtMs !== undefined)
    ends.push({ at: fault.refreshedAtMs + KERNEL_TIMEOUT_MS, why: 'kernelExpiry' });
  const passed = ends.filter((end) => end.at <= nowMs).sort((left, right) => left.at - right.at);
  return passed[0] && { why: passed[0].why };
}

/**
 * Whether the end of a fault in force waits for what it does now. Not for a look, which touches nothing and
 * may take its time (probes of peers that are silent), and not for a process to start: its undo ends it.
 */
export function holdsUpEnd({ doing, plan }: Fault): boolean {
  if (doing?.what === 'look') return false;
  const act = doing?.what === 'act' && plan?.steps[doing.index ?? 0]?.act;
  return !act || !startsProcess(act);
}

/** Fired: performs what is due, shows that it bites, keeps it alive, and ends it. */
export function stayInForce(work: Work, fault: Fault): void {
  const { plan } = fault;
  const cause = endOf(fault, work.nowMs);
  if (cause || !plan) return heal(work, fault, cause ?? { why: 'agentRestart' });
  if (stepDue(fault) <= work.nowMs) return nextStep(work, fault);
  if (fault.state === 'armed') return becomeActive(work, fault);
  if ((fault.nextRefreshMs ?? Infinity) <= work.nowMs) return nextUpkeep(work, fault, 0);
  if ((fault.nextLookMs ?? Infinity) <= work.nowMs && 'sample' in plan.witness)
    return ask(work, fault, 'look', [plan.witness.sample], LOOK_TIMEOUT_MS);
  const over = fault.stepsDone === plan.steps.length && fault.receipt.effect !== 'pending';
  if (!plan.standing && over && fault.durationMs === undefined)
    heal(work, fault, { why: 'deadline' });
}

/** When the next step is due; never, where none is left. */
export function stepDue(fault: Fault): number {
  const step = fault.plan?.steps[fault.stepsDone];
  return step ? (fault.firedAtMs ?? 0) + (step.afterMs ?? 0) : Infinity;
}

function nextStep(work: Work, fault: Fault): void {
  const index = fault.stepsDone;
  const step = fault.plan?.steps[index];
  if (!step) return;
  const begun = update(work, fault, { stepsBegun: index + 1 });
  const { key, doing, record } = begin(work, begun, 'act', index);
  work.effects.push({ effect: 'perform', key, serial: doing?.serial ?? 0, act: step.act });
  // After the act in the list: its instant must not wait for anything.
  if (index === 0 && record !== undefined)
    work.effects.push({ effect: 'progress', record, progress: progressOf(begun) });
}

export function acted(work: Work, fault: Fault): void {
  const step = fault.plan?.steps[fault.stepsDone];
  update(work, fault, {
    stepsDone: fault.stepsDone + 1,
    ...(step?.refresh ? { refreshedAtMs: work.nowMs } : {}),
    ...(step && needsUpkeep(step) ? { nextRefreshMs: work.nowMs + KERNEL_REFRESH_MS } : {}),
  });
}

/** Every immediate act has been performed and read back. */
function becomeActive(work: Work, fault: Fault): void {
  const { plan } = fault;
  if (!plan) return;
  const actMs = work.nowMs - (fault.firedAtMs ?? work.nowMs);
  const { witness } = plan;
  const looking = 'sample' in witness;
  const receipt = looking
    ? { ...fault.receipt, actMs, says: witness.says }
    : { ...fault.receipt, actMs, effect: 'untestable' as const, says: witness.untestable };
  const active = update(work, fault, {
    state: 'active',
    activeAtMs: work.nowMs,
    receipt,
    ...(looking ? { nextLookMs: work.nowMs } : {}),
  });
  push(work, active);
  if (fault.record !== undefined)
    work.effects.push({
      effect: 'progress',
      record: fault.record,
      progress: progressOf(active),
    });
}

/** The witness has looked. `now` is undefined where it could not. */
export function looked(work: Work, fault: Fault, now: Answer | undefined): void {
  const { plan, receipt } = fault;
  if (!plan || !('sample' in plan.witness)) return;
  const { witness } = plan;
  const { before } = receipt;
  if (now && before && witness.seen(before, now)) {
    const seen = update(work, fault, {
      receipt: { ...receipt, effect: 'seen', says: witness.says, during: now },
      nextLookMs: undefined,
    });
    push(work, seen);
    if (fault.record !== undefined)
      work.effects.push({
        effect: 'progress',
        record: fault.record,
        progress: progressOf(seen),
      });
    return;
  }
  if (work.nowMs < (fault.activeAtMs ?? 0) + witness.withinMs) {
    update(work, fault, { nextLookMs: work.nowMs + LOOK_EVERY_MS });
    return;
  }
  if (witness.patient === true) {
    const untestable = {
      effect: 'untestable' as const,
      says: `nothing yet that shows it: ${witness.says}`,
    };
    const first = receipt.effect === 'pending';
    const next = update(work, fault, {
      receipt: { ...receipt, ...untestable, ...(now ? { during: now } : {}) },
      nextLookMs: work.nowMs + PATIENT_LOOK_EVERY_MS,
    });
    if (first) push(work, next);
    return;
  }
  const error = `no effect was seen within ${witness.withinMs} ms: ${witness.says}`;
  const during = now ? { during: now } : {};
  const unseen = update(work, fault, {
    receipt: { ...receipt, effect: 'unseen', ...during },
    nextLookMs: undefined,
    wanted: { why: 'failed', error },
  });
  push(work, unseen);
}
