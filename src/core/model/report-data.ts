import type { RunPhase, RunStatus } from './run.ts';
import type { FaultStatus, NodeStatus } from './fault-status.ts';
import type { Effect, EndedBy, State } from './lifecycle.ts';
import type { Verdict } from './verdict.ts';

/**
 * What report.html holds: everything the page shows, already worked out. Times named ...Ms without
 * another word are milliseconds since the run began, so that the page needs no clock.
 * It is data of a system under test, so untrusted: the page puts it into text nodes only.
 */
export interface ReportData {
  format: 1;
  generatedAt: string;
  /** Version of Faultline that wrote it. */
  version: string;
  run: RunStatus;
  /** The command that repeats the run. */
  repro: string;
  /** The instant that time 0 stands for, milliseconds since the epoch. */
  originMs: number;
  endMs: number;
  phases: { phase: RunPhase; fromMs: number; toMs: number }[];
  bands: FaultBand[];
  faults: FaultStatus[];
  kinds: Record<string, { colour: string; summary: string }>;
  series: SeriesColumns;
  cluster: ClusterColumns;
  windows: WindowBand[];
  verdict?: Verdict;
  /** Times of the anomalies' examples, by `anomaly index/example index`. */
  exampleTimesMs: Record<string, number>;
  nodes: NodeStatus[];
  /** The scenario as a document people write (YAML). */
  scenarioText: string;
  scheduleText: string;
}

/** One occurrence of a fault, as a band on the timeline. */
export interface FaultBand {
  id: string;
  kind: string;
  /** From 1, of a fault that repeats. */
  occurrence: number;
  targets: string[];
  /** When its acts were performed; of one that never came so far, when that was known. */
  fromMs: number;
  toMs: number;
  /** When healing began, where that is known. */
  healingMs?: number;
  /** It has acted: false for one that was refused, missed or cancelled before. */
  acted: boolean;
  /** Not ended when the report was written. */
  open: boolean;
  state: State;
  effect: Effect;
  endedBy?: EndedBy;
  /** Ended by neither its deadline nor a request. */
  early: boolean;
  skewMs?: number;
}

/** One value a second (null: nothing was measured), columns of equal length. */
export interface SeriesColumns {
  atMs: number[];
  offered: (number | null)[];
  acknowledged: (number | null)[];
  read: (number | null)[];
  failed: (number | null)[];
  unknown: (number | null)[];
  errors: (number | null)[];
  p50: (number | null)[];
  p95: (number | null)[];
  p99: (number | null)[];
  max: (number | null)[];
}

/** The cluster as it was seen, one row a change or sample. */
export interface ClusterColumns {
  atMs: number[];
  /** Replicas in sync over all watched topic-partitions. */
  inSync: number[];
  /** Smallest ISR of any of them. */
  smallestIsr: number[];
  leaderless: number[];
  /** Leaders that differ from the row before. */
  leaderChanges: number[];
  /** Kafka node id, -1: none known. */
  controller: number[];
}

/** A stretch without success, as the availability checker found it. */
export interface WindowBand {
  kind: 'send' | 'poll';
  topicPartition: string;
  fromMs: number;
  toMs: number;
  open: boolean;
  faults: string[];
}
