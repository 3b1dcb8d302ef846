import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRun } from '../../../src/core/coordinator/run-record.ts';
import { workloadNamed } from '../../../src/core/workloads/registry.ts';
import { SCENARIO, SCHEDULE, START_MS, status, World } from '../../support/run-world.ts';

test('a slow load goes on until it has come to every topic-partition', () => {
  const world = new World();
  const workload = { kind: 'log', params: { rate: 2 } };
  world.record = newRun('r', { ...SCENARIO, workload }, SCHEDULE, START_MS, 'start');
  world.until(() => world.phase() === 'recovery');
  const sinceMs = world.nowMs;
  world.until(() => world.phase() === 'finalRead');
  assert.ok(world.nowMs - sinceMs >= 3_900 && (world.record.status.recovery?.afterMs ?? 1) < 1_000);
});

/** Acknowledges something in every n-th second only, seen for that second. */
function pacedWorld(params: Record<string, unknown>): World {
  const world = new World();
  const workload = { kind: 'log', params };
  world.record = newRun('r', { ...SCENARIO, steadyState: '5s', workload }, SCHEDULE, START_MS, '');
  return world;
}

/** One second of it. */
function second(world: World, acknowledged: number): void {
  if (world.phase() !== 'starting') world.workload = status('running', acknowledged);
  for (let count = 0; count < 10; count++) world.tick();
}

for (const [params, quiet] of [
  [{ rate: 1 }, 1],
  [{ rate: 100, idle: { busy: '1s', quiet: '3s' } }, 3],
  // A record is due in every fifth busy stretch.
  [{ rate: 1, idle: { busy: '200ms', quiet: '1s' } }, 5],
] as const)
  test(`a load that succeeds at its own pace is steady: ${JSON.stringify(params)}`, () => {
    const world = pacedWorld(params);
    const seconds = [1, ...Array<number>(quiet).fill(0)];
    for (let at = 0; at < 24 && world.phase() !== 'faults'; at++)
      second(world, seconds[at % seconds.length] ?? 0);
    assert.equal(world.phase(), 'faults');
    world.until(() => world.phase() === 'recovery');
    for (let at = 0; at < 40 && world.phase() === 'recovery'; at++)
      second(world, seconds[(at + 1) % seconds.length] ?? 0);
    assert.equal(world.record.status.recovery?.recovered, true);
  });

test('a slow load that no longer succeeds is seen as soon as it should have', () => {
  const world = pacedWorld({ rate: 1 });
  world.until(() => world.phase() === 'steadyState');
  second(world, 1);
  for (let count = 0; count < 4; count++) second(world, 0);
  for (let count = 0; count < 4; count++) second(world, 1);
  assert.equal(world.phase(), 'steadyState');
  // What succeeded before everything healed says nothing of afterwards.
  world.until(() => world.phase() === 'recovery');
  world.workload = status('running', 0);
  world.until(() => world.phase() === 'finalRead');
  assert.equal(world.record.status.recovery?.recovered, false);
});

test('a fast load may show no second without success; a round takes its quiet stretches', () => {
  const log = workloadNamed('log');
  assert.ok(log);
  for (const params of [{}, { rate: 2 }, { rate: 100, idle: { busy: '1s', quiet: '400ms' } }])
    assert.equal(log.silentMs(params), 0, JSON.stringify(params));
  assert.ok(log.silentMs({ rate: 1 }) >= 1_000);
  const idle = { busy: '1s', quiet: '3s' };
  assert.ok(log.silentMs({ rate: 100, idle }) >= 3_000);
  // Six records, one in each busy stretch.
  assert.ok(log.roundMs({ rate: 1, topicPartitions: 6, idle }) >= 6 * 4_000);
});
