import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSpec } from '../../../src/core/trogdor/spec.ts';
import { strictState } from '../../../src/core/trogdor/strict.ts';
import { planTask, type TaskRecord, type TaskState } from '../../../src/core/trogdor/task.ts';

const START = 10_000;
const UNHEARD = { n1: 'receiving', n2: 'receiving' };
const ACTIVE = { n1: 'active', n2: 'active' };
const spec = {};

function recordOf(more: Partial<TaskRecord> = {}): TaskRecord {
  const read = readSpec({ class: 'NoOpTaskSpec', startMs: START, durationMs: 60_000 });
  assert.ok('ok' in read && read.ok);
  const planned = planTask('t', read.value, ['n1', 'n2'], { nowMs: 0, unique: 'u' });
  return { ...planned, ...more };
}

/** What is shown at instants, in the words of a line each. */
function shown(record: TaskRecord, truth: TaskState, ...instants: number[]): unknown[] {
  return instants.map((nowMs) => {
    const { state, status } = strictState(record, truth, nowMs);
    return [nowMs, state, status];
  });
}

const running: TaskState = { state: 'RUNNING', spec, startedMs: START + 30, status: ACTIVE };
const ended = (doneMs: number, more: Partial<TaskState> = {}): TaskState => ({
  state: 'DONE',
  spec,
  startedMs: START + 30,
  doneMs,
  cancelled: false,
  status: { n1: 'done', n2: 'done' },
  ...more,
});

test('a task is RUNNING when it is to start, whatever was done, and PENDING before', () => {
  const pending: TaskState = { state: 'PENDING', spec, status: null };
  assert.deepEqual(shown(recordOf(), pending, START - 1, START, START + 9_000), [
    [START - 1, 'PENDING', null],
    [START, 'RUNNING', UNHEARD],
    [START + 9_000, 'RUNNING', UNHEARD],
  ]);
});

test('what nodes do is heard once a heartbeat', () => {
  assert.deepEqual(shown(recordOf(), running, START + 40, START + 999, START + 1_000), [
    [START + 40, 'RUNNING', UNHEARD],
    [START + 999, 'RUNNING', UNHEARD],
    [START + 1_000, 'RUNNING', ACTIVE],
  ]);
});

test('an end by itself is seen, and dated, by the heartbeat after it', () => {
  const truth = ended(START + 60_100);
  assert.deepEqual(shown(recordOf(), truth, START + 60_500, START + 61_000), [
    [START + 60_500, 'RUNNING', ACTIVE],
    [START + 61_000, 'DONE', truth.status],
  ]);
  assert.equal(strictState(recordOf(), truth, START + 70_000).doneMs, START + 61_000);
});

test('a stop asks at once, and is seen a heartbeat after it', () => {
  const record = recordOf({ stoppedMs: START + 400 });
  const truth = ended(START + 450, { cancelled: true });
  assert.deepEqual(shown(record, truth, START + 450, START + 1_399, START + 1_400), [
    [START + 450, 'STOPPING', ACTIVE],
    [START + 1_399, 'STOPPING', ACTIVE],
    [START + 1_400, 'DONE', truth.status],
  ]);
});

test('the error of one node is heard before the others are told to stop; alone it is the end', () => {
  const truth = ended(START + 100, { error: 'n1: broken', startedMs: -1, status: null });
  assert.deepEqual(shown(recordOf(), truth, START + 500, START + 1_500, START + 2_000), [
    [START + 500, 'RUNNING', UNHEARD],
    [START + 1_500, 'STOPPING', UNHEARD],
    [START + 2_000, 'DONE', null],
  ]);
  const alone = recordOf({ nodes: ['n1'] });
  assert.deepEqual(shown(alone, truth, START + 500, START + 1_000), [
    [START + 500, 'RUNNING', 'receiving'],
    [START + 1_000, 'DONE', null],
  ]);
});

test('what was stopped before it was to start never ran', () => {
  const truth = ended(START - 10, { startedMs: -1, cancelled: true });
  assert.deepEqual(strictState(recordOf({ stoppedMs: START - 10 }), truth, START + 1), truth);
});
