import type { ReportData } from '../../core/model/report-data.ts';
import { count, length, shortCount } from '../format.ts';

/** One line of a chart. */
export interface Line {
  name: string;
  values: readonly (number | null)[];
  /** Custom property of the style sheet that holds its colour. */
  colour: string;
  dash?: number[];
  width?: number;
  look?: 'line' | 'steps' | 'bars';
  show(value: number | null | undefined): string;
}

/** What a chart shows, before it is drawn. */
export interface Chart {
  title: string;
  unit: string;
  atMs: readonly number[];
  lines: Line[];
  log?: boolean;
  height: number;
  axis(value: number): string;
}

const perSecond = (value: number | null | undefined): string => `${count(value)}/s`;

function throughput({ series }: ReportData): Chart {
  return {
    title: 'Throughput',
    unit: 'records a second',
    atMs: series.atMs,
    height: 210,
    axis: shortCount,
    lines: [
      {
        name: 'offered',
        values: series.offered,
        colour: '--offered',
        dash: [2, 3],
        width: 1,
        show: perSecond,
      },
      {
        name: 'acknowledged',
        values: series.acknowledged,
        colour: '--acknowledged',
        width: 2,
        show: perSecond,
      },
      { name: 'read', values: series.read, colour: '--read', dash: [6, 3], show: perSecond },
      {
        name: 'unknown',
        values: series.unknown,
        colour: '--unknown',
        look: 'bars',
        show: perSecond,
      },
      {
        name: 'failed',
        values: series.failed,
        colour: '--failed',
        look: 'bars',
        show: perSecond,
      },
      {
        name: 'errors',
        values: series.errors,
        colour: '--errors',
        dash: [1, 2],
        width: 1,
        show: perSecond,
      },
    ],
  };
}

function latency({ series }: ReportData): Chart {
  return {
    title: 'Latency',
    unit: 'intended arrival to acknowledgement, ms, logarithmic',
    atMs: series.atMs,
    height: 190,
    axis: (value) => length(value),
    log: true,
    lines: [
      { name: 'p50', values: series.p50, colour: '--p50', width: 2, show: length },
      { name: 'p95', values: series.p95, colour: '--p95', dash: [8, 3], show: length },
      { name: 'p99', values: series.p99, colour: '--p99', dash: [4, 3], show: length },
      { name: 'max', values: series.max, colour: '--max', dash: [1, 3], show: length },
    ],
  };
}

function replicas({ cluster }: ReportData): Chart {
  return {
    title: 'Replicas in sync',
    unit: 'over all watched topic-partitions',
    atMs: cluster.atMs,
    height: 140,
    axis: shortCount,
    lines: [
      {
        name: 'in sync',
        values: cluster.inSync,
        colour: '--acknowledged',
        look: 'steps',
        width: 2,
        show: count,
      },
      {
        name: 'smallest ISR',
        values: cluster.smallestIsr,
        colour: '--read',
        look: 'steps',
        dash: [6, 3],
        show: count,
      },
      {
        name: 'leaders moved',
        values: cluster.leaderChanges,
        colour: '--p99',
        look: 'bars',
        show: count,
      },
      {
        name: 'without leader',
        values: cluster.leaderless,
        colour: '--failed',
        look: 'bars',
        show: count,
      },
    ],
  };
}

/** The charts there is something to show in. */
export function chartsOf(data: ReportData): Chart[] {
  return [
    ...(data.series.atMs.length > 0 ? [throughput(data), latency(data)] : []),
    ...(data.cluster.atMs.length > 0 ? [replicas(data)] : []),
  ];
}
