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
}

const log: WorkloadKind = {
  kind: 'log',
  summary: 'Unique values to and from topic-partitions at a fixed rate, every attempt recorded.',
  params: LogParameters,
  check(params) {
    const checked = checkSchema(LogParameters, params);
    return checked.ok ? checkLogSettings(logSettings(checked.value, 'run')) : checked.problems;
  },
};

/** One entry a workload. */
export const WORKLOADS: readonly WorkloadKind[] = [log];

export function workloadNamed(kind: string): WorkloadKind | undefined {
  return WORKLOADS.find((workload) => workload.kind === kind);
}
