import { LatencyHistogram } from '../../core/workloads/latency.ts';
import type { LatencySummary } from '../../core/model/series.ts';

export interface Totals {
  offered: number;
  acknowledged: number;
  failed: number;
  unknown: number;
  read: number;
}

/** Counts of a running workload, and what the last whole second was like. */
export class Tally {
  totals: Totals = { offered: 0, acknowledged: 0, failed: 0, unknown: 0, read: 0 };
  lastSecond = { offered: 0, acknowledged: 0, read: 0 };
  latencyMs: LatencySummary = { p50: 0, p95: 0, p99: 0, max: 0 };
  cpuPercent = 0;
  #histogram = new LatencyHistogram();
  #before: Totals = { ...this.totals };
  #cpu = process.cpuUsage();
  #atMs = performance.now();

  latency(us: number): void {
    this.#histogram.add(us);
  }

  /** Ends the current second. @returns what happened in it. */
  endSecond(): Totals {
    const { totals } = this;
    const delta: Totals = {
      offered: totals.offered - this.#before.offered,
      acknowledged: totals.acknowledged - this.#before.acknowledged,
      failed: totals.failed - this.#before.failed,
      unknown: totals.unknown - this.#before.unknown,
      read: totals.read - this.#before.read,
    };
    this.#before = { ...totals };
    const { offered, acknowledged, read } = delta;
    this.lastSecond = { offered, acknowledged, read };
    this.latencyMs = {
      p50: this.#histogram.percentileMs(0.5),
      p95: this.#histogram.percentileMs(0.95),
      p99: this.#histogram.percentileMs(0.99),
      max: this.#histogram.maxMs,
    };
    this.#histogram.clear();
    const cpu = process.cpuUsage(this.#cpu);
    const nowMs = performance.now();
    this.cpuPercent = Math.round((cpu.user + cpu.system) / 10 / (nowMs - this.#atMs));
    this.#cpu = process.cpuUsage();
    this.#atMs = nowMs;
    return delta;
  }
}
