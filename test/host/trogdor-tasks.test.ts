import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSpec } from '../../src/core/trogdor/spec.ts';
import type { CoordinatorApi } from '../../src/host/coordinator/api.ts';
import { CoordinatorTasks } from '../../src/host/trogdor/coordinator-tasks.ts';

/** A coordinator of one node on which nothing ever begins. */
function idle(): CoordinatorApi {
  const api = {
    topology: { nodes: [{ name: 'n1', agent: 'http://127.0.0.1:1', addresses: [], roles: [] }] },
    halted: false,
    table: () => ({ list: () => [], put: () => undefined, delete: () => undefined }),
    onEvent: () => undefined,
    getFault: () => undefined,
    createFault: () => new Promise(() => undefined),
  };
  return api as unknown as CoordinatorApi;
}

test('tasks that do not end are refused beyond a number; one that has ended makes room', () => {
  const read = readSpec({ class: 'NoOpTaskSpec', startMs: 4e12, durationMs: 60_000 });
  assert.ok('ok' in read && read.ok);
  const spec = read.value;
  const tasks = new CoordinatorTasks(idle(), () => true, { most: 2 });
  tasks.create('one', spec);
  tasks.create('two', spec);
  assert.throws(() => tasks.create('three', spec), {
    code: 503,
    message: /2 tasks have not ended/,
  });
  tasks.create('two', spec);
  tasks.stop('one');
  tasks.create('three', spec);
  assert.deepEqual(
    tasks.list().map(([id]) => id),
    ['two', 'three'],
  );
});

test('strict: a task is RUNNING when its time has come, though nothing has begun', () => {
  const read = readSpec({ class: 'NoOpTaskSpec', durationMs: 60_000 });
  assert.ok('ok' in read && read.ok);
  const states = [false, true].map((strict) => {
    const tasks = new CoordinatorTasks(idle(), () => true, { strict });
    tasks.create('one', read.value);
    return [tasks.get('one')?.state, tasks.get('one')?.status];
  });
  assert.deepEqual(states, [
    ['PENDING', null],
    ['RUNNING', 'receiving'],
  ]);
});
