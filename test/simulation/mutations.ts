import { step as agentStep } from '../../src/core/agent/step.ts';
import { recover } from '../../src/core/coordinator/machine.ts';
import type { FaultRecord } from '../../src/core/coordinator/record.ts';

/** What is simulated: the machines as they are, or with a bug that must be found. */
export interface Subject {
  agentStep: typeof agentStep;
  coordinatorRecover: typeof recover;
  /** What a starting coordinator makes of the records on its disk: those to go on with. */
  openRecords: (records: readonly FaultRecord[]) => FaultRecord[];
  /** A record in the journal counts as written before it is on the disk. */
  skipsSync: boolean;
  /** Whether what coordinators say on the way is judged, or only what is done. */
  judgesViews: boolean;
}

export const CORRECT: Subject = {
  agentStep,
  coordinatorRecover: recover,
  openRecords: (records) => records.filter((record) => record.stage !== 'ended'),
  skipsSync: false,
  judgesViews: true,
};

/** An agent that never lets a lease run out. */
export const NO_LEASES: Subject = {
  ...CORRECT,
  agentStep: (state, event, nowMs) => {
    const { state: next, effects } = agentStep(state, event, nowMs);
    const faults = new Map(
      [...next.faults].map(([key, fault]) => [key, { ...fault, leaseEndsMs: undefined }]),
    );
    return { state: { ...next, faults }, effects };
  },
};

/** A coordinator that takes up again, after a restart, what had come to its end. */
export const FIRES_AGAIN: Subject = {
  ...CORRECT,
  judgesViews: false,
  openRecords: (records) =>
    records.map((record) =>
      record.stage === 'ended'
        ? {
            ...record,
            stage: 'pending',
            stop: false,
            parts: [],
            startWallMs: undefined,
            outcome: undefined,
          }
        : record,
    ),
};

/** An agent that acts before its journal is on the disk. */
export const LATE_JOURNAL: Subject = { ...CORRECT, skipsSync: true };

/** An agent that takes whoever renews leases for the owner of everything. */
export const ANY_OWNER: Subject = {
  ...CORRECT,
  agentStep: (state, event, nowMs) => {
    if (event.event !== 'leases') return agentStep(state, event, nowMs);
    const faults = new Map(
      [...state.faults].map(([key, fault]) => [key, { ...fault, owner: event.owner }]),
    );
    return agentStep({ ...state, faults }, event, nowMs);
  },
};
