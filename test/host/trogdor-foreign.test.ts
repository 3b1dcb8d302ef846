/** Our coordinator and agents that are known by Trogdor's protocol only: real ones, and ours behind their door. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { lacks } from '../support/needs.ts';
import { MixedRig } from '../support/trogdor/mixed-rig.ts';
import { until } from '../support/until.ts';

const noOp = { class: 'NoOpTaskSpec', durationMs: 600_000 };

function drives(isReal: boolean): void {
  const rig = new MixedRig(isReal);
  before(() => rig.start());
  after(() => rig.close());

  test('a task of nodes of both kinds runs on both, and ends on both', async () => {
    await rig.create('both', noOp);
    const running = await rig.reaches('both', 'RUNNING');
    assert.deepEqual(running.status, { n1: 'active', t1: 'active' });
    const [worker] = Object.values(await rig.workers());
    assert.deepEqual([worker?.taskId, worker?.state], ['both', 'RUNNING']);
    await rig.stop('both');
    const done = await rig.reaches('both', 'DONE');
    assert.deepEqual([done.error, done.cancelled], [undefined, true]);
    assert.deepEqual(done.status, { n1: 'done', t1: 'done' });
    assert.deepEqual(await rig.workers(), {});
  });

  test('its time is up by itself', async () => {
    await rig.create('short', { ...noOp, durationMs: 6_000 });
    const done = await rig.reaches('short', 'DONE');
    assert.deepEqual([done.error, done.cancelled], [undefined, false]);
  });

  test("a worker's error is the task's", async () => {
    const command = ['/no/such/program'];
    const external = { class: 'ExternalCommandSpec', durationMs: 600_000, commandNode: 't1' };
    await rig.create('fails', { ...external, command });
    const done = await rig.reaches('fails', 'DONE');
    assert.match(done.error ?? '', /^t1: .*\/no\/such\/program/s);
    await until('the worker is cleared away', async () => {
      const workers = await rig.workers();
      return Object.keys(workers).length === 0;
    });
  });

  test('a worker that its agent has forgotten fails the task, and the others end', async () => {
    await rig.create('forgotten', noOp);
    await rig.reaches('forgotten', 'RUNNING');
    const [id = ''] = Object.keys(await rig.workers());
    await rig.forget(id);
    const done = await rig.reaches('forgotten', 'DONE');
    assert.match(done.error ?? '', /t1: its agent was started anew/);
    assert.equal(done.cancelled, false);
  });

  test('a restarted coordinator knows the worker; a task that is forgotten takes it along', async () => {
    await rig.create('stays', noOp);
    await rig.reaches('stays', 'RUNNING');
    const ids = Object.keys(await rig.workers());
    await rig.stopCoordinator();
    await rig.startCoordinator();
    await rig.reaches('stays', 'RUNNING');
    assert.deepEqual(Object.keys(await rig.workers()), ids);
    await rig.call('DELETE', 'tasks?taskId=stays');
    await until('the worker is gone', async () => {
      const workers = await rig.workers();
      return Object.keys(workers).length === 0;
    });
  });

  test('what agents of one kind can only do together is refused', async () => {
    const create = (partitions: string[][]) => {
      const spec = { class: 'NetworkPartitionFaultSpec', durationMs: 1_000, partitions };
      return rig.call('POST', 'task/create', { id: 'split', spec });
    };
    const split = await create([['n1'], ['t1']]);
    assert.equal(split.status, 400);
    assert.match(String(split.body['message']), /of its nodes t1 have agents of Trogdor's/);
    const one = await create([['t1']]);
    assert.equal(one.status, 400, 'also what is wrong by itself');
  });
}

suite('our coordinator and an agent behind its door', { skip: lacks('linux') }, () =>
  drives(false),
);
suite(
  'our coordinator and a real agent of Trogdor',
  { skip: lacks('linux', 'java', 'trogdor-jars') },
  () => drives(true),
);
