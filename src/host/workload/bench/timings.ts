import { LatencyHistogram } from '../../../core/workloads/latency.ts';

/** Latencies as the statuses of Trogdor have them: milliseconds since the start, whole but for the average. */
export interface TimingStatus {
  averageLatencyMs: number;
  p50LatencyMs: number;
  p95LatencyMs: number;
  p99LatencyMs: number;
}

export class Timings {
  readonly #histogram = new LatencyHistogram();
  #sumMs = 0;

  add(ms: number, times = 1): void {
    this.#histogram.add(ms * 1_000, times);
    this.#sumMs += ms * times;
  }

  get status(): TimingStatus {
    const { total } = this.#histogram;
    const at = (share: number): number => Math.round(this.#histogram.percentileMs(share));
    return {
      averageLatencyMs: total === 0 ? 0 : this.#sumMs / total,
      p50LatencyMs: at(0.5),
      p95LatencyMs: at(0.95),
      p99LatencyMs: at(0.99),
    };
  }
}
