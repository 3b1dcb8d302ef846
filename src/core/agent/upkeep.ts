import { KERNEL_REFRESH_MS } from '../model/fault-request.ts';
import type { Step } from '../model/fault.ts';
import type { Fault } from './state.ts';
import { begin, update, type Work } from './work.ts';

/**
 * What is looked after while a fault is in force: what the kernel lets expire, and stopped processes
 * that anybody may continue. A fault never ends early in silence.
 */
export function needsUpkeep(step: Step): boolean {
  const stops = step.act.act === 'process.signal' && step.act.signal === 'SIGSTOP';
  return step.refresh !== undefined || stops;
}

/** Looks after the steps from `from` on: renews each where it can expire, then verifies it. */
export function nextUpkeep(work: Work, fault: Fault, from: number): void {
  const steps = fault.plan?.steps.slice(0, fault.stepsDone) ?? [];
  const index = steps.findIndex((step, place) => place >= from && needsUpkeep(step));
  const step = steps[index];
  if (!step) {
    const renewed = fault.refreshedAtMs === undefined ? {} : { refreshedAtMs: work.nowMs };
    update(work, fault, { ...renewed, nextRefreshMs: work.nowMs + KERNEL_REFRESH_MS });
    return;
  }
  if (!step.refresh) return verify(work, fault, index);
  const { key, doing } = begin(work, fault, 'refresh', index);
  work.effects.push({ effect: 'perform', key, serial: doing?.serial ?? 0, act: step.refresh });
}

/** Asks whether what a step made is still there. */
export function verify(work: Work, fault: Fault, index: number): void {
  const step = fault.plan?.steps[index];
  if (!step || fault.wanted) return;
  const { key, doing } = begin(work, fault, 'verify', index);
  work.effects.push({ effect: 'verify', key, serial: doing?.serial ?? 0, act: step.act });
}

/** What a mount held in force is renewed at once, and found to be gone where it is. */
export function lookAfterDisk(work: Work, mountPoint: string): void {
  for (const fault of work.faults.values()) {
    const isThere = fault.plan?.steps.some(
      ({ refresh }) => refresh?.act === 'disk.fault.renew' && refresh.mountPoint === mountPoint,
    );
    if (isThere === true && fault.nextRefreshMs !== undefined)
      update(work, fault, { nextRefreshMs: work.nowMs });
  }
}

/** The kernel has ended the fault, somebody else has, or it is tried again soon. */
export function upkeepFailed(work: Work, fault: Fault, code: string, message: string): void {
  if (code === 'expired') {
    update(work, fault, { wanted: { why: 'kernelExpiry', error: message } });
    return;
  }
  if (code === 'gone') {
    update(work, fault, { wanted: { why: 'failed', error: message } });
    return;
  }
  update(work, fault, {
    nextRefreshMs: work.nowMs + KERNEL_REFRESH_MS / 5,
    notes: noted(fault, `keeping it in force failed: ${message}`),
  });
}

/** Notes are for people: the first few say enough. */
function noted(fault: Fault, note: string): string[] {
  return fault.notes.includes(note) || fault.notes.length >= 10
    ? fault.notes
    : [...fault.notes, note];
}
