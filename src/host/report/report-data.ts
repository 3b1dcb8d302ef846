import { stringify } from 'yaml';
import { KINDS } from '../../core/faults/registry.ts';
import type { FaultStatus, NodeStatus } from '../../core/model/fault-status.ts';
import type { ReportData } from '../../core/model/report-data.ts';
import type { RunStatus, TimelineEntry } from '../../core/model/run.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import type { SeriesEntry } from '../../core/model/series.ts';
import { VERSION } from '../version.ts';
import { faultBands } from './bands.ts';
import { clusterColumns, historyClock, phaseBands, seriesColumns, windowBands } from './columns.ts';

/** What a report is made from. */
export interface ReportInput {
  run: RunStatus;
  /** Times in milliseconds since the epoch. */
  timeline: readonly TimelineEntry[];
  /** One entry a second, as the workload wrote them. */
  series: readonly SeriesEntry[];
  verdict?: Verdict;
  nodes: readonly NodeStatus[];
  /** Records of the run's faults with their receipts. */
  faults?: readonly FaultStatus[];
  /** The command that repeats the run; without it, one is made from the run. */
  repro?: string;
  /** RFC 3339. */
  generatedAt: string;
}

const UNKNOWN_COLOUR = '#80868b';

/** Colours and summaries of the kinds that occur. */
function kindsOf(kinds: readonly string[]): ReportData['kinds'] {
  const entries = [...new Set(kinds)].map((name) => {
    const kind = KINDS.find((known) => known.kind === name);
    return [name, { colour: kind?.colour ?? UNKNOWN_COLOUR, summary: kind?.summary ?? '' }];
  });
  return Object.fromEntries(entries) as ReportData['kinds'];
}

/** The last instant that anything in the input speaks of, milliseconds since the epoch. */
function lastInstant(input: ReportInput, originMs: number): number {
  const ended = input.run.endedAt === undefined ? originMs : Date.parse(input.run.endedAt);
  const last = Math.max(
    ended,
    input.timeline.at(-1)?.at ?? originMs,
    input.series.at(-1)?.wallMs ?? originMs,
  );
  return last > originMs ? last : originMs + 1_000;
}

/** When each example of an anomaly happened, where the history says so. */
function exampleTimes(
  verdict: Verdict | undefined,
  toMs: ((timeNs: number) => number) | undefined,
): Record<string, number> {
  const times: Record<string, number> = {};
  if (toMs === undefined) return times;
  for (const [index, anomaly] of (verdict?.anomalies ?? []).entries()) {
    for (const [number, example] of anomaly.examples.entries()) {
      if (example.timeNs !== undefined) times[`${index}/${number}`] = toMs(example.timeNs);
    }
  }
  return times;
}

/** Works out everything the page shows. */
export function reportData(input: ReportInput): ReportData {
  const { run, timeline, series } = input;
  const verdict = input.verdict ?? run.verdict;
  const originMs = Date.parse(run.startedAt);
  const endMs = lastInstant(input, originMs) - originMs;
  const bands = faultBands(timeline, input.faults ?? [], originMs, endMs);
  const clock = historyClock(series, originMs);
  const data: ReportData = {
    format: 1,
    generatedAt: input.generatedAt,
    version: VERSION,
    run,
    repro: input.repro ?? `./faultline run ${run.scenario.name}.yaml --seed ${run.seed}`,
    originMs,
    endMs,
    phases: phaseBands(run.phases, originMs, endMs),
    bands,
    faults: [...(input.faults ?? [])],
    kinds: kindsOf([...bands, ...run.schedule.faults].map(({ kind }) => kind)),
    series: seriesColumns(series, originMs),
    cluster: clusterColumns(timeline, originMs),
    windows: windowBands(verdict, clock),
    exampleTimesMs: exampleTimes(verdict, clock),
    nodes: [...input.nodes],
    scenarioText: stringify(run.scenario),
    scheduleText: JSON.stringify(run.schedule, null, 2),
  };
  if (verdict !== undefined) data.verdict = verdict;
  return data;
}
