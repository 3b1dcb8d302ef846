import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadReport } from '../../../src/core/trogdor/load.ts';
import { readSpec, shownSpec } from '../../../src/core/trogdor/spec.ts';
import { planTask, taskState, type TaskRecord } from '../../../src/core/trogdor/task.ts';
import { checkBenchSpec } from '../../../src/core/workloads/bench-spec.ts';

const START = 1_000_000;

function plan(fields: Record<string, unknown>): TaskRecord {
  const spec = readSpec({ durationMs: 60_000, ...fields });
  assert.ok('ok' in spec && spec.ok, JSON.stringify(spec));
  return planTask('Some Task', spec.value, ['n1', 'n2', 'n3'], { nowMs: START, unique: 'abcd' });
}

const stress = () =>
  plan({
    class: 'ConnectionStressSpec',
    clientNode: ['n2', 'n1', 'n2'],
    bootstrapServers: 'kafka:9092',
  });

const running = (status: unknown): LoadReport => ({ phase: 'running', startedAtMs: START, status });
const state = (record: TaskRecord, reports: Record<string, LoadReport>) =>
  taskState(record, [], START + 5, new Map(Object.entries(reports)));

test('a load is planned once a node, ends by itself, and is what a bench takes', () => {
  const { faults, loads = [], nodes } = stress();
  assert.deepEqual([faults, nodes], [[], ['n1', 'n2']]);
  assert.deepEqual(
    loads.map(({ node, id, spec }) => [node, id, spec.kind, spec.endAtMs]),
    ['n1', 'n2'].map((node) => [
      node,
      'trogdor-some-task-abcd',
      'connection-stress',
      START + 60_000,
    ]),
  );
  for (const { spec } of loads) assert.ok(checkBenchSpec(JSON.parse(JSON.stringify(spec))).ok);
});

test('a task runs once all its loads do, and shows what each says', () => {
  const record = stress();
  assert.equal(state(record, {}).state, 'PENDING');
  assert.equal(state(record, { n1: running(1) }).state, 'PENDING');
  const both = state(record, { n1: running({ a: 1 }), n2: running(null) });
  assert.deepEqual([both.state, both.startedMs], ['RUNNING', START]);
  assert.deepEqual(both.status, { n1: { a: 1 }, n2: null });
  const stopped = { ...record, stoppedMs: START + 3 };
  assert.equal(state(stopped, { n1: running(1), n2: running(1) }).state, 'STOPPING');
});

test('it is done when all are, with every error and the last status of each', () => {
  const end = (more: Partial<LoadReport>): LoadReport => ({
    ...running({ last: true }),
    phase: 'closed',
    endedAtMs: START + 9,
    ...more,
  });
  const record = stress();
  const half = { ...record, ends: { n1: end({}) } };
  assert.equal(state(half, { n2: running(1) }).state, 'RUNNING', 'the other goes on');
  const good = state({ ...record, ends: { n1: end({}), n2: end({ endedAtMs: START + 12 }) } }, {});
  assert.deepEqual([good.state, good.error, good.doneMs], ['DONE', undefined, START + 12]);
  assert.deepEqual(good.status, { n1: { last: true }, n2: { last: true } });
  const error = 'n2: the cluster is dead';
  const bad = state({ ...record, ends: { n1: end({}), n2: end({ phase: 'failed', error }) } }, {});
  assert.deepEqual([bad.state, bad.error], ['DONE', error]);
  const cancelled = { ...record, stoppedMs: START, ends: { n1: end({}), n2: end({}) } };
  assert.equal(state(cancelled, {}).cancelled, true);
});

test("empty topics are shown, a program's workload as it came", () => {
  const topics = { a: { configs: {} } };
  const produce = plan({
    class: 'ProduceBenchSpec',
    producerNode: 'n1',
    bootstrapServers: 'kafka:9092',
    activeTopics: topics,
  });
  const shown = shownSpec(produce.spec, 7) as Record<string, unknown>;
  assert.deepEqual(shown['activeTopics'], { a: { numPartitions: 0, replicationFactor: 0 } });
  assert.deepEqual(shown['inactiveTopics'], {});
  assert.equal('producerConf' in shown, false);
  const workload = { empty: [], none: null };
  const command = plan({ class: 'ExternalCommandSpec', commandNode: 'n1', command: 'x', workload });
  assert.deepEqual((shownSpec(command.spec, 7) as { workload: unknown }).workload, workload);
});
