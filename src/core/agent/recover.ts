import type { EndedBy } from '../model/lifecycle.ts';
import { hasEnded } from '../model/lifecycle.ts';
import { survivesReboot, type JournalEntry } from './journal-record.ts';
import { heal } from './heal.ts';
import { keyOf, type Fault } from './state.ts';
import type { Work } from './work.ts';

/**
 * What the journal held at start: ended faults are tombstones; every other one heals, whether it had
 * acted or not, newest first. An undo is harmless for an act that was never performed.
 * @param by who heals it: agentRestart, or guard for the healer the guard starts.
 */
export function recover(work: Work, entries: readonly JournalEntry[], by: EndedBy): void {
  for (const entry of entries) {
    const fault = faultOf(entry);
    work.faults.set(fault.key, fault);
    if (hasEnded(fault.state)) continue;
    const rebooted = entry.arm.bootId !== work.state.bootId;
    const open = rebooted
      ? fault.undos.map((undo) => ({ ...undo, open: survivesReboot(undo.act) }))
      : fault.undos;
    heal(work, { ...fault, undos: open }, { why: rebooted ? 'reboot' : by });
  }
}

function faultOf(entry: JournalEntry): Fault {
  const { arm, progress, serial } = entry;
  const ended = hasEnded(progress.state);
  // From the instant it was told to fire it may have acted, even if nobody wrote that it did.
  const firedAtMs = progress.firedAtBootMs ?? progress.fireAtBootMs;
  return {
    key: keyOf(arm.id, arm.instance),
    id: arm.id,
    instance: arm.instance,
    owner: arm.owner,
    kind: arm.kind,
    specHash: arm.specHash,
    dryRun: false,
    armOnly: false,
    state: ended ? progress.state : 'active',
    record: serial,
    planText: arm.plan,
    claims: arm.claims,
    sample: arm.sample,
    undos: arm.undos.map((undo, step) => ({
      ...undo,
      step,
      open: !ended,
      attempts: 0,
      lastError: '',
    })),
    receipt: {
      effect: progress.effect === 'pending' ? 'untestable' : (progress.effect ?? 'untestable'),
      says: progress.says ?? 'the agent was restarted before anything was measured',
      ...(arm.before === undefined ? {} : { before: arm.before }),
      ...(progress.during === undefined ? {} : { during: progress.during }),
      ...(progress.after === undefined ? {} : { after: progress.after }),
      ...(progress.actMs === undefined ? {} : { actMs: progress.actMs }),
      ...(progress.healMs === undefined ? {} : { healMs: progress.healMs }),
      notes: [],
    },
    problems: [],
    error: progress.error,
    tickets: [],
    armedAtMs: arm.armedAtBootMs,
    firedAtMs,
    stepsBegun: 0,
    stepsDone: 0,
    retries: 0,
    recovered: true,
    endedAtMs: progress.endedAtBootMs,
    cause: progress.endedBy === undefined ? undefined : { why: progress.endedBy },
    notes: [],
  };
}
