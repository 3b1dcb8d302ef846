import type { TSchema } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { checkLogSettings, LogParameters, logSettings, type LogSettings } from './log.ts';

/** A workload as documents name it. */
export interface WorkloadKind {
  kind: string;
  summary: string;
  params: TSchema;
  /** Every problem of its parameters, paths relative to them. */
  check(params: unknown): Problem[];
  /** How long it must go on, from any moment, to have done something everywhere. Of valid parameters. */
  roundMs(params: unknown): number;
  /**
   * How long it may show nothing in its counts of a second although all of it succeeds; 0: no second
   * without. Of valid parameters.
   */
  silentMs(params: unknown): number;
}

/** What is begun in a round also has to end. */
const MARGIN_MS = 1_000;

/** What is counted is counted by the second; one that is filled less than twice may stay empty. */
const SECOND_MS = 1_000;

/** How long at most it takes to have had so much time of load. */
function lastingMs(activeMs: number, idle: LogSettings['idle']): number {
  return idle === undefined
    ? activeMs
    : activeMs + Math.ceil(activeMs / idle.busyMs) * idle.quietMs;
}

const log: WorkloadKind = {
  kind: 'log',
  summary: 'Unique values to and from topic-partitions at a fixed rate, every attempt recorded.',
  params: LogParameters,
  check(params) {
    const checked = checkSchema(LogParameters, params);
    return checked.ok ? checkLogSettings(logSettings(checked.value, 'run')) : checked.problems;
  },
  roundMs(params) {
    const settings = logSettings(params ?? {}, 'run');
    const { producers, topicPartitions, rate, idle } = settings;
    return lastingMs((producers * topicPartitions * 1_000) / rate, idle) + MARGIN_MS;
  },
  silentMs(params) {
    const { rate, idle } = logSettings(params ?? {}, 'run');
    const gapMs = lastingMs(1_000 / rate, idle);
    return gapMs > SECOND_MS / 2 ? gapMs + MARGIN_MS : 0;
  },
};

/** One entry a workload. */
export const WORKLOADS: readonly WorkloadKind[] = [log];

export function workloadNamed(kind: string): WorkloadKind | undefined {
  return WORKLOADS.find((workload) => workload.kind === kind);
}
