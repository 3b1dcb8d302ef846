import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultStatus } from '../../../src/core/model/fault-status.ts';
import { progressOf, type FaultView } from '../../../src/core/trogdor/progress.ts';
import { readSpec } from '../../../src/core/trogdor/spec.ts';
import { planTask, taskState, type TaskRecord } from '../../../src/core/trogdor/task.ts';
import { planWorker, workerState } from '../../../src/core/trogdor/worker.ts';

const active: FaultView = { state: 'active', firedAtMs: 10 };
const here = {
  node: 'n1',
  topology: { name: 't', nodes: [] },
  coordinatorAddresses: [],
  meets: () => true,
};
const healed: FaultView = { state: 'healed', firedAtMs: 10, endedAtMs: 20, endedBy: 'deadline' };

test('a task runs once every fault is active, and not before', () => {
  const of = (views: FaultView[], stopped = false) => progressOf(views, stopped, 5);
  assert.deepEqual(of([{ state: 'armed' }]), { phase: 'waiting' });
  assert.deepEqual(of([active, { state: 'armed' }]), { phase: 'waiting' });
  assert.deepEqual(of([active, active]), { phase: 'running', startedMs: 10 });
  assert.deepEqual(of([active], true), { phase: 'stopping', startedMs: 10 });
  assert.deepEqual(of([active, healed]), { phase: 'stopping', startedMs: 10 });
  assert.deepEqual(of([{ ...active, state: 'stuck' }]), { phase: 'stopping', startedMs: 10 });
  assert.deepEqual(of([healed, healed]), { phase: 'done', startedMs: 10, doneMs: 20 });
  assert.deepEqual(of([{ state: 'cancelled' }]), { phase: 'done', doneMs: 5 });
});

test('what went wrong is said: failures, refusals, ends that nobody asked for', () => {
  const error = (view: Partial<FaultView>): string | undefined => {
    const progress = progressOf([{ ...healed, ...view }], false, 5);
    return progress.phase === 'done' ? progress.error : 'not done';
  };
  assert.equal(error({}), undefined);
  assert.equal(error({ endedBy: 'request' }), undefined);
  assert.match(error({ endedBy: 'lease' }) ?? '', /early, by lease/);
  assert.match(error({ state: 'failed', error: 'no such pid' }) ?? '', /no such pid/);
  assert.match(error({ state: 'missed' }) ?? '', /missed/);
});

const CLASS = 'org.apache.kafka.trogdor.task.NoOpTaskSpec';

function plan(fields: object, id = 'Täsk 1', nowMs = 1_000): TaskRecord {
  const spec = { class: CLASS, startMs: 0, durationMs: 60_000, ...fields };
  return planTask(id, spec, ['n1', 'n2'], { nowMs, unique: 'u1' });
}

test('a task is a fault with a name, a duration and, in the future, a start', () => {
  const [now] = plan({}).faults;
  assert.equal(now?.id, 'trogdor-t-sk-1-u1');
  assert.equal(now?.duration, '1m');
  assert.equal(now?.startAt, undefined);
  const later = plan({ startMs: 90_000_000 });
  assert.equal(later.faults[0]?.startAt, '1970-01-02T01:00:00.000Z');
  assert.equal(plan({ startMs: -5 }).startMs, 1_000);
  assert.equal(plan({}, '✓').faults[0]?.id, 'trogdor-u1');
  assert.match(plan({}, 'x'.repeat(200)).faults[0]?.id ?? '', /^[a-z0-9-]{1,63}$/);
});

test('a duration of 0 expires when it would start, unless it was stopped before', () => {
  const record = plan({ durationMs: 0, startMs: 5_000 });
  assert.equal(taskState(record, [undefined], 4_999).state, 'PENDING');
  const { state, error, startedMs, cancelled } = taskState(record, [undefined], 5_000);
  assert.deepEqual([state, error, startedMs, cancelled], ['DONE', 'worker expired', 5_000, false]);
  const stopped = taskState({ ...record, stoppedMs: 4_000 }, [undefined], 6_000);
  assert.deepEqual([stopped.cancelled, stopped.startedMs, stopped.error], [true, -1, undefined]);
});

test('the errors of all nodes stand in the task, and what never fired has no words', () => {
  const part = { problems: [], openUndos: [] };
  const fault: FaultStatus = {
    id: 'f',
    kind: 'noop',
    request: { id: 'f', kind: 'noop' },
    state: 'failed',
    effect: 'pending',
    instance: 1,
    earlier: [],
    owner: 'o',
    targets: [],
    actors: [],
    createdAt: '2026-01-01T00:00:00.000Z',
    firedAt: '2026-01-01T00:00:01.000Z',
    endedAt: '2026-01-01T00:00:02.000Z',
    nodes: {
      n1: { ...part, state: 'healed', firedAt: '2026-01-01T00:00:01.000Z' },
      n2: { ...part, state: 'failed', error: 'its disk is full' },
    },
    problems: [],
  };
  const task = taskState(plan({}), [fault], 0);
  assert.equal(task.error, 'n2: its disk is full');
  assert.deepEqual(task.status, { n1: 'done', n2: null });
});

test('a worker ends when its spec says, by the wall clock', () => {
  const worker = (startMs: number, durationMs: number, nowMs: number) =>
    planWorker(
      {
        workerId: '-9223372036854775808',
        taskId: 't',
        spec: { class: CLASS, startMs, durationMs },
      },
      here,
      { nowMs, unique: 'u' },
    );
  assert.equal(worker(1_000, 5_000, 3_000).faults[0]?.duration, '3s');
  assert.equal(worker(1_000, 5_000, 3_000).faults[0]?.id, 'trogdor-m9223372036854775808-u');
  const late = worker(1_000, 5_000, 6_000);
  assert.deepEqual(late.faults, []);
  const wallOf = (bootMs: number): number => bootMs;
  const { state, error } = workerState(late, [], wallOf);
  assert.deepEqual([state, error], ['DONE', 'worker expired']);
});

test('a load whose process says nothing yet is STARTING, where states are strict RUNNING', () => {
  const fields = {
    producerNode: 'n1',
    bootstrapServers: 'b:1',
    activeTopics: { a: {} },
    startMs: 1,
    durationMs: 5_000,
  };
  const read = readSpec({ class: 'ProduceBenchSpec', ...fields });
  assert.ok('ok' in read && read.ok);
  const worker = { workerId: '7', taskId: 't', spec: read.value };
  const planned = planWorker(worker, here, { nowMs: 10, unique: 'u' });
  const shown = (begun: boolean, strict: boolean) =>
    workerState({ ...planned, begun }, [], (bootMs) => bootMs, undefined, strict);
  assert.equal(shown(true, false).state, 'STARTING');
  assert.equal(shown(false, true).state, 'STARTING', 'its worker is being made');
  const { state, startedMs, status } = shown(true, true);
  assert.deepEqual([state, startedMs, status], ['RUNNING', 10, null]);
});
