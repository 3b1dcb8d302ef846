import { durationMs } from '../base/duration.ts';
import type { FaultRequest } from '../model/fault-request.ts';
import type { State } from '../model/lifecycle.ts';
import type { RunPhase, RunStatus } from '../model/run.ts';
import type { Scenario, Schedule } from '../model/scenario.ts';
import { formatDuration } from '../base/duration.ts';
import { idInRun } from '../schedule/fault-ids.ts';
import { workloadNamed } from '../workloads/registry.ts';
import type { WorkloadStatus } from '../workloads/status.ts';

/** Everything a run is, as it is stored: a coordinator that was killed goes on from here. */
export interface RunRecord {
  status: RunStatus;
  /** When the phase began, ms since the epoch. */
  phaseAtMs: number;
  /** When the first fault's time began to count. */
  faultsAtMs?: number;
  /** Since when what the phase waits for has held without a break. */
  holdsSinceMs?: number;
  /** When in this phase the load was last seen to succeed. */
  succeededAtMs?: number;
  /** Position in the schedule of the next fault to create. */
  nextFault: number;
  /** Why the run goes no further than healing. */
  ending?: { outcome: 'cancelled' | 'failed'; error?: string };
}

/** What can be seen of the world at one moment. */
export interface RunView {
  nowMs: number;
  /** Absent: its agent did not answer, or has not been asked yet. */
  workload?: WorkloadStatus;
  /** The faults of this run. */
  faults: readonly { id: string; state: State }[];
  /** Every topic-partition of the workload has a leader and all replicas in sync. */
  whole: boolean;
  /** What is not whole, in words. */
  wholeSays: string;
}

export type RunOrder =
  | { order: 'startWorkload' }
  | { order: 'createFault'; position: number; request: FaultRequest }
  | { order: 'healFault'; id: string }
  | { order: 'finalRead' }
  /** Fetch the history, judge it, close the workload. */
  | { order: 'check' }
  | { order: 'closeWorkload' };

/** How long a phase may take before the run gives up on it, ms. */
export const PATIENCE_MS = {
  starting: 90_000,
  steadyState: 60_000,
  healing: 60_000,
  finalRead: 180_000,
  checking: 600_000,
} as const;

/** A fault that the coordinator refuses is tried again this long: the one before may still be healing. */
export const REFUSED_RETRY_MS = 3_000;
/** A fault whose time has passed by more than this (a coordinator that was away) is skipped. */
export const LATEST_MS = 5_000;

const DEFAULT_STEADY = '5s';
const DEFAULT_RECOVERY = '60s';

export function steadyMs(scenario: Scenario): number {
  return durationMs(scenario.steadyState ?? DEFAULT_STEADY);
}

export function recoveryMs(scenario: Scenario): number {
  return durationMs(scenario.recovery ?? DEFAULT_RECOVERY);
}

/** How long the load must last after healing, so that it shows of every topic-partition that it is back. */
export function roundMs({ workload }: Scenario): number {
  return workloadNamed(workload?.kind ?? '')?.roundMs(workload?.params) ?? 0;
}

/** How long a load that succeeds may show nothing of it; 0: not for a second. */
export function silentMs({ workload }: Scenario): number {
  return workloadNamed(workload?.kind ?? '')?.silentMs(workload?.params) ?? 0;
}

/** A run that has not begun. */
export function newRun(
  id: string,
  scenario: Scenario,
  schedule: Schedule,
  nowMs: number,
  at: string,
): RunRecord {
  return {
    status: {
      id,
      scenario,
      seed: schedule.seed,
      schedule,
      phase: 'starting',
      startedAt: at,
      phases: [{ phase: 'starting', at }],
      faults: [],
      skipped: [],
    },
    phaseAtMs: nowMs,
    nextFault: 0,
  };
}

/** The request that a fault of the schedule becomes in this run. */
export function requestOf(run: RunStatus, position: number): FaultRequest | undefined {
  const fault = run.schedule.faults[position];
  if (fault === undefined) return undefined;
  const own = run.scenario.faults?.some(({ id }) => id === fault.id) === true;
  const request: FaultRequest = {
    id: idInRun(run.id, position + 1, own ? fault.id : undefined),
    kind: fault.kind,
    params: fault.params,
    run: run.id,
    reason: `scenario ${run.schedule.scenario}, seed ${run.seed}, at ${formatDuration(fault.atMs)}`,
  };
  if (fault.targets !== undefined) request.targets = fault.targets;
  if (fault.durationMs !== undefined) request.duration = formatDuration(fault.durationMs);
  if (fault.override !== undefined) {
    request.override = fault.override as NonNullable<FaultRequest['override']>;
  }
  return request;
}

/** The same run in another phase. @param at RFC 3339. */
export function inPhase(record: RunRecord, phase: RunPhase, nowMs: number, at: string): RunRecord {
  const { holdsSinceMs: _over, succeededAtMs: _past, ...rest } = record;
  const phases = [...record.status.phases, { phase, at }];
  return { ...rest, phaseAtMs: nowMs, status: { ...record.status, phase, phases } };
}
