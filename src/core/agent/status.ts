import { describeAct } from '../model/act.ts';
import type { Step } from '../model/fault.ts';
import type { AgentFaultStatus } from '../model/fault-status.ts';
import type { Progress } from './journal-record.ts';
import { openUndos, type Fault } from './state.ts';

/** When a fault ends by its duration, on CLOCK_BOOTTIME in ms. */
export function deadlineOf(fault: Fault): number | undefined {
  if (fault.firedAtMs === undefined || fault.durationMs === undefined) return undefined;
  return fault.firedAtMs + fault.durationMs;
}

/** A fault as GET /v1/faults/{id} and the link show it. */
export function statusOf(fault: Fault, node: string): AgentFaultStatus {
  const status: AgentFaultStatus = {
    id: fault.id,
    instance: fault.instance,
    owner: fault.owner,
    kind: fault.kind,
    node,
    state: fault.state,
    specHash: fault.specHash,
    plan: fault.planText,
    claims: fault.claims.map((claim) => claim.says),
    receipt: { ...fault.receipt, notes: [...fault.notes] },
    problems: fault.problems,
    openUndos: openUndos(fault),
  };
  const why = fault.cause?.why;
  if (why !== undefined && why !== 'failed' && why !== 'missed') status.endedBy = why;
  if (fault.firedAtMs !== undefined) status.firedAtBootMs = fault.firedAtMs;
  if (fault.leaseEndsMs !== undefined) status.leaseEndsBootMs = fault.leaseEndsMs;
  if (fault.endedAtMs !== undefined) status.endedAtBootMs = fault.endedAtMs;
  if (fault.error !== undefined) status.error = fault.error;
  const deadline = deadlineOf(fault);
  if (deadline !== undefined) status.deadlineBootMs = deadline;
  return status;
}

/** A plan in words: what is done, and how it is undone. */
export function planText(steps: readonly Step[]): { says: string; undo: string }[] {
  return steps.map((step) => ({
    says: step.afterMs === undefined ? step.says : `after ${step.afterMs} ms: ${step.says}`,
    undo: 'act' in step.undo ? describeAct(step.undo) : step.undo.irreversible,
  }));
}

/** What the journal is told of a fault as it goes on. */
export function progressOf(fault: Fault): Progress {
  const progress: Progress = { state: fault.state, effect: fault.receipt.effect };
  const why = fault.cause?.why;
  if (why !== undefined && why !== 'failed' && why !== 'missed') progress.endedBy = why;
  if (fault.fireAtMs !== undefined) progress.fireAtBootMs = fault.fireAtMs;
  if (fault.firedAtMs !== undefined) progress.firedAtBootMs = fault.firedAtMs;
  if (fault.endedAtMs !== undefined) progress.endedAtBootMs = fault.endedAtMs;
  if (fault.receipt.says !== '') progress.says = fault.receipt.says;
  if (fault.error !== undefined) progress.error = fault.error;
  const { during, after, actMs, healMs } = fault.receipt;
  if (during !== undefined) progress.during = during;
  if (after !== undefined) progress.after = after;
  if (actMs !== undefined) progress.actMs = actMs;
  if (healMs !== undefined) progress.healMs = healMs;
  return progress;
}
