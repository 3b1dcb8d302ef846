import type { LatencySummary } from '../model/series.ts';

export const WORKLOAD_PHASES = [
  'starting',
  'creating',
  'running',
  'draining',
  'stopped',
  'finalRead',
  'read',
  'closed',
  'failed',
] as const;
export type WorkloadPhase = (typeof WORKLOAD_PHASES)[number];

/** status.json of a workload: replaced as a whole about twice a second. */
export interface WorkloadStatus {
  kind: string;
  run: string;
  phase: WorkloadPhase;
  /** Why it has failed, or what it is waiting for. */
  error?: string;
  /** Milliseconds since the epoch. */
  updatedAtMs: number;
  startedAtMs: number;
  topic: string;
  /** Records, since the start. Offered = due by the timetable. */
  offered: number;
  acknowledged: number;
  failed: number;
  unknown: number;
  /** Rows the first reader was given. */
  read: number;
  /** In the last whole second. */
  perSecond: { offered: number; acknowledged: number; read: number };
  /** From the intended arrival to the acknowledgement, last whole second, milliseconds. */
  latencyMs: LatencySummary;
  /** Errors of attempts, connections and fetches since the start, by name. */
  errors: Record<string, number>;
  producers: string[];
  /** Of the final read, topic-partitions read to their end, of how many. */
  finalRead?: { done: number; of: number; complete: boolean };
  /** Share of one core this process used in the last second, percent; resident megabytes. */
  cpuPercent: number;
  residentMb: number;
}

export type WorkloadCommand =
  | { command: 'stop' | 'finalRead' }
  | { command: 'close'; compress?: boolean };
