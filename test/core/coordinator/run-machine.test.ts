import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endEarly } from '../../../src/core/coordinator/run-machine.ts';
import { PATIENCE_MS, type RunRecord } from '../../../src/core/coordinator/run-record.ts';
import { status, TICK_MS, World } from '../../support/run-world.ts';

test('a run goes through its phases to a verdict, and the faults come at their times', () => {
  const world = new World();
  const created: [string, number][] = [];
  let faultsAtMs = 0;
  while (world.phase() !== 'done') {
    const before = world.faults.size;
    world.tick();
    faultsAtMs = world.record.faultsAtMs ?? faultsAtMs;
    for (const id of [...world.faults.keys()].slice(before))
      created.push([id, world.nowMs - TICK_MS - faultsAtMs]);
  }
  const { status: run } = world.record;
  assert.deepEqual(
    run.phases.map(({ phase }) => phase),
    ['starting', 'steadyState', 'faults', 'healing', 'recovery', 'finalRead', 'checking', 'done'],
  );
  assert.deepEqual(created, [
    ['r-1', 5_000],
    ['r-2', 20_000],
  ]);
  assert.deepEqual(run.faults, ['r-1', 'r-2']);
  assert.equal(run.outcome, 'finished');
  assert.equal(run.verdict?.verdict, 'valid');
  assert.equal(run.recovery?.recovered, true);
  assert.equal(run.progress?.acknowledged, 9);
  // The faults were asked to last longer than the run: healing ended them, each by name.
  const healed = world.orders.flatMap((order) => (order.order === 'healFault' ? [order.id] : []));
  assert.deepEqual([...new Set(healed)].toSorted(), ['r-1', 'r-2']);
});

test('steady state begins again whenever the workload falters', () => {
  const world = new World();
  world.until(() => world.phase() === 'steadyState');
  for (let count = 0; count < 15; count++) world.tick();
  world.workload = status('running', 0);
  world.tick();
  world.workload = status('running', 100);
  for (let count = 0; count < 19; count++) world.tick();
  assert.equal(world.phase(), 'steadyState');
  world.until(() => world.phase() === 'faults', 500);
});

test('a fault that is refused is tried again for a while, then skipped with the reason', () => {
  const world = new World();
  world.refuse = "limit 'nodes'";
  world.until(() => world.phase() === 'done');
  const { skipped, faults, outcome } = world.record.status;
  assert.deepEqual(faults, []);
  assert.deepEqual(
    skipped.map(({ id, reason }) => [id, reason]),
    [
      ['r-1', "limit 'nodes'"],
      ['r-2', "limit 'nodes'"],
    ],
  );
  assert.equal(outcome, 'finished');
  assert.ok(world.orders.filter(({ order }) => order === 'createFault').length > 10);
});

test('a fault that was refused because the one before still healed comes a little later', () => {
  const world = new World();
  world.refuse = 'held by another';
  world.until(() => world.orders.some(({ order }) => order === 'createFault'));
  world.refuse = undefined;
  world.tick();
  assert.deepEqual(world.record.status.faults, ['r-1']);
  assert.deepEqual(world.record.status.skipped, []);
});

test('a coordinator that was away skips what it missed and goes on by the phase', () => {
  const world = new World();
  world.until(() => world.phase() === 'faults');
  world.nowMs += 14_000;
  world.tick();
  assert.deepEqual(
    world.record.status.skipped.map(({ id }) => id),
    ['r-1'],
  );
  assert.match(world.record.status.skipped[0]?.reason ?? '', /away/);
  world.until(() => world.phase() === 'done');
  assert.deepEqual(world.record.status.faults, ['r-2']);
  assert.equal(world.record.status.outcome, 'finished');
});

test('a stored record goes on exactly as the one in memory', () => {
  const world = new World();
  world.until(() => world.record.status.faults.length === 1);
  world.record = JSON.parse(JSON.stringify(world.record)) as RunRecord;
  world.until(() => world.phase() === 'done');
  assert.deepEqual(world.record.status.faults, ['r-1', 'r-2']);
  assert.equal(world.record.status.verdict?.verdict, 'valid');
});

const INTERRUPTED = ['starting', 'steadyState', 'faults', 'healing', 'recovery', 'finalRead'];

for (const phase of INTERRUPTED) {
  test(`cancelled in ${phase}: everything heals, the workload is closed, nothing is judged`, () => {
    const world = new World();
    if (phase !== 'starting') world.until(() => world.phase() === phase);
    if (phase === 'faults') world.until(() => world.faults.size === 1);
    world.record = endEarly(world.record, 'cancelled');
    world.until(() => world.phase() === 'done');
    assert.equal(world.record.status.outcome, 'cancelled');
    assert.equal(world.record.status.verdict, undefined);
    for (const { state } of world.faults.values()) assert.equal(state, 'healed');
    assert.ok(!world.orders.some(({ order }) => order === 'check'));
  });
}

test('a workload that fails ends the run by way of healing', () => {
  const world = new World();
  world.until(() => world.faults.size === 1);
  world.workload = { ...status('failed', 0), error: 'disk full' };
  world.until(() => world.phase() === 'done');
  assert.equal(world.record.status.outcome, 'failed');
  assert.match(world.record.status.error ?? '', /disk full/);
  assert.equal(world.faults.get('r-1')?.state, 'healed');
});

test('a cluster that does not recover is read and judged all the same', () => {
  const world = new World();
  world.until(() => world.phase() === 'recovery');
  world.whole = false;
  const sinceMs = world.nowMs;
  world.until(() => world.phase() === 'done');
  assert.ok(world.nowMs - sinceMs >= 9_000);
  assert.equal(world.record.status.recovery?.recovered, false);
  assert.match(world.record.status.recovery?.says ?? '', /no leader/);
  assert.equal(world.record.status.outcome, 'finished');
});

test('no steady state, no faults', () => {
  const world = new World();
  world.whole = false;
  world.until(() => world.phase() === 'done');
  assert.equal(world.record.status.outcome, 'failed');
  assert.match(world.record.status.error ?? '', /no steady state/);
  assert.equal(world.faults.size, 0);
});

test('what cannot be healed fails the run by name, after patience', () => {
  const world = new World();
  world.stuck = true;
  world.until(() => world.phase() === 'healing');
  const sinceMs = world.nowMs;
  world.until(() => world.phase() === 'done');
  assert.ok(world.nowMs - sinceMs >= PATIENCE_MS.healing - TICK_MS);
  assert.equal(world.record.status.outcome, 'failed');
  assert.match(world.record.status.error ?? '', /r-1 is stuck/);
});
