import type { TSchema } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { checkLogSettings, LogParameters, logSettings } from './log.ts';

/** A workload as documents name it. */
export interface WorkloadKind {
  kind: string;
  summary: string;
  params: TSchema;
  /** Every problem of its parameters, paths relative to them. */
  check(params: unknown): Problem[];
  /** How long it must go on, from any moment, to have done something everywhere. Of valid parameters. */
  roundMs(params: unknown): number;
}

/** What is begun in a round also has to end. */
const MARGIN_MS = 1_000;

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
    return (producers * topicPartitions * 1_000) / rate + (idle?.quietMs ?? 0) + MARGIN_MS;
  },
};

/** One entry a workload. */
export const WORKLOADS: readonly WorkloadKind[] = [log];

export function workloadNamed(kind: string): WorkloadKind | undefined {
  return WORKLOADS.find((workload) => workload.kind === kind);
}
