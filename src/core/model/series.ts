/** Latencies of a stretch of time, in milliseconds. */
export interface LatencySummary {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** One line of series.jsonl, once a second. */
export interface SeriesEntry {
  /** Monotonic nanoseconds (the clock of the history) and milliseconds since the epoch. */
  timeNs: number;
  wallMs: number;
  offered: number;
  acknowledged: number;
  failed: number;
  unknown: number;
  read: number;
  errors: number;
  latencyMs: LatencySummary;
}
