import type {
  ClusterColumns,
  ReportData,
  SeriesColumns,
  WindowBand,
} from '../../core/model/report-data.ts';
import type { TimelineEntry } from '../../core/model/run.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import type { SeriesEntry } from '../../core/model/series.ts';

/** A chart shows this many points at most; more are thinned, peaks kept. */
export const POINTS_MAX = 6_000;

/** Joins `size` neighbours to one row: rates are averaged, latencies keep their worst. */
function thin(series: readonly SeriesEntry[], size: number): SeriesEntry[] {
  const rows: SeriesEntry[] = [];
  for (let start = 0; start < series.length; start += size) {
    const group = series.slice(start, start + size);
    const mean = (pick: (row: SeriesEntry) => number): number =>
      group.reduce((sum, row) => sum + pick(row), 0) / group.length;
    const worst = (pick: (row: SeriesEntry) => number): number => Math.max(...group.map(pick));
    rows.push({
      ...(group[0] as SeriesEntry),
      offered: mean((row) => row.offered),
      acknowledged: mean((row) => row.acknowledged),
      read: mean((row) => row.read),
      failed: mean((row) => row.failed),
      unknown: mean((row) => row.unknown),
      errors: mean((row) => row.errors),
      latencyMs: {
        p50: worst((row) => row.latencyMs.p50),
        p95: worst((row) => row.latencyMs.p95),
        p99: worst((row) => row.latencyMs.p99),
        max: worst((row) => row.latencyMs.max),
      },
    });
  }
  return rows;
}

/** One number or null: what is no finite number was not measured. */
function measured(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** A latency of zero means that nothing was acknowledged in that second. */
function latency(value: number): number | null {
  return Number.isFinite(value) && value > 0 ? value : null;
}

export function seriesColumns(series: readonly SeriesEntry[], originMs: number): SeriesColumns {
  const rows = thin(series, Math.max(1, Math.ceil(series.length / POINTS_MAX)));
  return {
    atMs: rows.map((row) => row.wallMs - originMs),
    offered: rows.map((row) => measured(row.offered)),
    acknowledged: rows.map((row) => measured(row.acknowledged)),
    read: rows.map((row) => measured(row.read)),
    failed: rows.map((row) => measured(row.failed)),
    unknown: rows.map((row) => measured(row.unknown)),
    errors: rows.map((row) => measured(row.errors)),
    p50: rows.map((row) => latency(row.latencyMs.p50)),
    p95: rows.map((row) => latency(row.latencyMs.p95)),
    p99: rows.map((row) => latency(row.latencyMs.p99)),
    max: rows.map((row) => latency(row.latencyMs.max)),
  };
}

export function clusterColumns(
  timeline: readonly TimelineEntry[],
  originMs: number,
): ClusterColumns {
  const columns: ClusterColumns = {
    atMs: [],
    inSync: [],
    smallestIsr: [],
    leaderless: [],
    leaderChanges: [],
    controller: [],
  };
  let before: number[] | undefined;
  for (const entry of timeline) {
    if (entry.entry !== 'cluster') continue;
    const sizes = entry.isr.map((isr) => isr.length);
    columns.atMs.push(entry.at - originMs);
    columns.inSync.push(sizes.reduce((sum, size) => sum + size, 0));
    columns.smallestIsr.push(sizes.length === 0 ? 0 : Math.min(...sizes));
    columns.leaderless.push(entry.leaders.filter((leader) => leader < 0).length);
    const { leaders } = entry;
    const last: number[] = before ?? leaders;
    // A leader that went missing and came back the same has not moved.
    columns.leaderChanges.push(
      leaders.filter((leader, index) => leader >= 0 && leader !== (last[index] ?? leader)).length,
    );
    before = leaders.map((leader, index) => (leader >= 0 ? leader : (last[index] ?? leader)));
    columns.controller.push(entry.activeController);
  }
  return columns;
}

export function phaseBands(
  phases: readonly { phase: ReportData['run']['phase']; at: string }[],
  originMs: number,
  endMs: number,
): ReportData['phases'] {
  return phases
    .filter(({ phase }) => phase !== 'done')
    .map(({ phase, at }) => {
      const next = phases[phases.findIndex((other) => other.phase === phase) + 1];
      const toMs = next === undefined ? endMs : Date.parse(next.at) - originMs;
      return { phase, fromMs: Date.parse(at) - originMs, toMs };
    });
}

/**
 * Turns the history's clock into the run's: the series holds one instant on both.
 * @returns undefined where there is no series to tell.
 */
export function historyClock(
  series: readonly SeriesEntry[],
  originMs: number,
): ((timeNs: number) => number) | undefined {
  const first = series[0];
  if (first === undefined) return undefined;
  return (timeNs) => first.wallMs - originMs + (timeNs - first.timeNs) / 1e6;
}

export function windowBands(
  verdict: Verdict | undefined,
  toMs: ((timeNs: number) => number) | undefined,
): WindowBand[] {
  if (verdict === undefined || toMs === undefined) return [];
  return verdict.availability.windows.map((window) => ({
    kind: window.kind,
    topicPartition: `${window.topic}-${window.topicPartition}`,
    fromMs: toMs(window.fromNs),
    toMs: toMs(window.toNs),
    open: window.open,
    faults: window.faults,
  }));
}
