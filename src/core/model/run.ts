import type { SeriesEntry } from './series.ts';
import type { Verdict } from './verdict.ts';
import type { Schedule, Scenario } from './scenario.ts';

/** The phases of a run, in order. */
export const RUN_PHASES = [
  'starting',
  'steadyState',
  'faults',
  'healing',
  'recovery',
  'finalRead',
  'checking',
  'done',
] as const;
export type RunPhase = (typeof RUN_PHASES)[number];

/** A run as GET /v1/runs/{id} shows it. */
export interface RunStatus {
  id: string;
  scenario: Scenario;
  seed: string;
  schedule: Schedule;
  phase: RunPhase;
  /** Set when done: by itself, cancelled, aborted by a probe or failed. */
  outcome?: 'finished' | 'cancelled' | 'failed';
  error?: string;
  verdict?: Verdict;
  startedAt: string;
  endedAt?: string;
  phases: { phase: RunPhase; at: string }[];
  /** Ids of the faults it created, in order. */
  faults: string[];
  /** Faults of the schedule that were not to be: the coordinator refused them, or it was not there. */
  skipped: { id: string; kind: string; atMs: number; reason: string }[];
  /** Whether the cluster was whole again within the scenario's `recovery`, and after how long. */
  recovery?: { recovered: boolean; afterMs: number; says: string };
  /** Latest counts of the workload. */
  progress?: RunProgress;
  /** Node the workload runs on, and its id there. */
  workload?: { node: string; id: string };
}

export interface RunProgress {
  atMs: number;
  offered: number;
  acknowledged: number;
  failed: number;
  unknown: number;
  read: number;
  acknowledgedPerSecond: number;
  readPerSecond: number;
  latencyMs: { p50: number; p99: number; max: number };
}

/**
 * One sample of a run's timeline, for the report: GET /v1/runs/{id}/timeline, JSON lines. `at` is
 * milliseconds since the epoch by the coordinator's clock.
 */
export type TimelineEntry =
  | { at: number; entry: 'phase'; phase: RunPhase }
  | {
      at: number;
      entry: 'fault';
      id: string;
      kind: string;
      state: string;
      targets: string[];
      effect: string;
      endedBy?: string;
    }
  | { at: number; entry: 'cluster'; activeController: number; leaders: number[]; isr: number[][] }
  | { at: number; entry: 'workload'; progress: RunProgress }
  /** What the workload itself wrote each second; comes once the history has been fetched. */
  | { at: number; entry: 'second'; second: SeriesEntry };
