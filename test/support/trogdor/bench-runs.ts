import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planTask } from '../../../src/core/trogdor/task.ts';
import { readSpec } from '../../../src/core/trogdor/spec.ts';
import type { BenchStatus } from '../../../src/core/workloads/bench-spec.ts';
import {
  adoptWorkload,
  readBenchStatus,
  sendWorkload,
  startWorkload,
} from '../../../src/host/workload/supervise.ts';
import { until } from '../until.ts';

/** Where the loads of a test are; to be deleted at its end. */
export const BENCHES = mkdtempSync(join(tmpdir(), 'faultline-benches-'));

const LONG = { durationMs: 240_000 };

/** Starts what a spec means on its node, as an agent does. @returns its directory. */
export function begin(id: string, fields: Record<string, unknown>): string {
  const spec = readSpec({ ...LONG, ...fields });
  assert.ok('ok' in spec && spec.ok, JSON.stringify(spec));
  const record = planTask(id, spec.value, ['n1'], { nowMs: Date.now(), unique: 'test' });
  const [load] = record.loads ?? [];
  assert.ok(load, 'it is a load');
  const directory = join(BENCHES, id);
  startWorkload(load.spec, directory);
  return directory;
}

export async function ended(directory: string, timeoutMs = 120_000): Promise<BenchStatus> {
  await until('its end', () => adoptWorkload(directory)?.alive === false, { timeoutMs });
  return readBenchStatus(directory);
}

/** Runs a load to its end, which must be a good one. @returns its status. */
export async function finished<T>(id: string, fields: Record<string, unknown>): Promise<T> {
  const directory = begin(id, fields);
  const status = await ended(directory);
  const log = readFileSync(join(directory, 'process.log'), 'utf8');
  assert.deepEqual([status.phase, status.error], ['closed', undefined], log.slice(-2_000));
  return status.status as T;
}

export type Counts = Record<string, number | undefined>;

/** Runs a load until its counts are as they should be, then tells it to end: that is no failure. */
export async function closed(
  id: string,
  holds: (counts: Counts) => boolean,
  fields: Record<string, unknown>,
): Promise<Counts> {
  const directory = begin(id, fields);
  await until(
    `the counts of ${id}`,
    () => {
      const { status, phase } = readBenchStatus(directory);
      assert.equal(phase === 'failed', false, JSON.stringify(readBenchStatus(directory)));
      return typeof status === 'object' && status !== null && holds(status as Counts);
    },
    { timeoutMs: 120_000 },
  );
  sendWorkload(directory, { command: 'close' });
  const last = await ended(directory);
  assert.deepEqual([last.phase, last.error], ['closed', undefined]);
  return last.status as Counts;
}
