import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checked,
  endEarly,
  faultCreated,
  faultRefused,
  stepRun,
} from '../../../src/core/coordinator/run-machine.ts';
import {
  newRun,
  PATIENCE_MS,
  type RunOrder,
  type RunRecord,
  type RunView,
} from '../../../src/core/coordinator/run-record.ts';
import { unknownVerdict } from '../../../src/core/coordinator/run-verdict.ts';
import type { State } from '../../../src/core/model/lifecycle.ts';
import type { Scenario, Schedule } from '../../../src/core/model/scenario.ts';
import type { WorkloadPhase, WorkloadStatus } from '../../../src/core/workloads/status.ts';

const SCENARIO: Scenario = {
  faultline: 1,
  name: 's',
  duration: '30s',
  steadyState: '2s',
  recovery: '10s',
  workload: { kind: 'log' },
};
const SCHEDULE: Schedule = {
  version: '1',
  scenario: 's',
  seed: '1',
  durationMs: 30_000,
  kinds: ['noop'],
  faults: [
    { id: 's-1-1', atMs: 5_000, kind: 'noop', targets: 'n1', params: {}, durationMs: 5_000 },
    { id: 's-1-2', atMs: 20_000, kind: 'process.kill', targets: 'n2', params: {} },
  ],
};
const START_MS = 1_000_000;
const TICK_MS = 100;

function status(phase: WorkloadPhase, perSecond: number): WorkloadStatus {
  return {
    kind: 'log',
    run: 'r',
    phase,
    updatedAtMs: 0,
    startedAtMs: 0,
    topic: 't',
    offered: 10,
    acknowledged: 9,
    failed: 0,
    unknown: 1,
    read: 8,
    perSecond: { offered: perSecond, acknowledged: perSecond, read: perSecond },
    latencyMs: { p50: 1, p95: 2, p99: 3, max: 4 },
    errors: {},
    producers: [],
    cpuPercent: 1,
    residentMb: 1,
  };
}

/** A world in which the machine's orders are carried out, and time goes on tick by tick. */
class World {
  record: RunRecord = newRun('r', SCENARIO, SCHEDULE, START_MS, 'start');
  nowMs = START_MS;
  workload: WorkloadStatus | undefined;
  whole = true;
  faults = new Map<string, { state: State; endsMs: number }>();
  orders: RunOrder[] = [];
  refuse: string | undefined;
  /** Answers no heal: an undo that keeps failing. */
  stuck = false;

  tick(): void {
    for (const fault of this.faults.values()) {
      if (fault.state === 'active' && fault.endsMs <= this.nowMs) fault.state = 'healed';
    }
    const view: RunView = {
      nowMs: this.nowMs,
      faults: [...this.faults].map(([id, { state }]) => ({ id, state })),
      whole: this.whole,
      wholeSays: 'two topic-partitions have no leader',
    };
    if (this.workload) view.workload = this.workload;
    const step = stepRun(this.record, view);
    this.record = step.record;
    for (const order of step.orders) this.obey(order);
    this.nowMs += TICK_MS;
  }

  obey(order: RunOrder): void {
    this.orders.push(order);
    switch (order.order) {
      case 'startWorkload':
        this.workload = status('running', 100);
        break;
      case 'createFault':
        if (this.refuse === undefined) {
          this.faults.set(order.request.id, { state: 'active', endsMs: this.nowMs + 60_000 });
          this.record = faultCreated(this.record, order.position);
        } else {
          this.record = faultRefused(this.record, order.position, this.refuse, this.nowMs);
        }
        break;
      case 'healFault': {
        const fault = this.faults.get(order.id);
        if (fault) fault.state = this.stuck ? 'stuck' : 'healed';
        break;
      }
      case 'finalRead':
        this.workload = status('read', 0);
        break;
      case 'check':
        this.record = checked(this.record, { ...unknownVerdict(''), verdict: 'valid' }, this.nowMs);
        break;
      case 'closeWorkload':
        this.workload = status('closed', 0);
        break;
    }
  }

  until(holds: () => boolean, limitMs = 600_000): void {
    const endMs = this.nowMs + limitMs;
    while (!holds()) {
      assert.ok(this.nowMs < endMs, `still ${this.record.status.phase}`);
      this.tick();
    }
  }

  phase(): string {
    return this.record.status.phase;
  }
}

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

test('a slow load goes on until it has come to every topic-partition', () => {
  const world = new World();
  const workload = { kind: 'log', params: { rate: 2 } };
  world.record = newRun('r', { ...SCENARIO, workload }, SCHEDULE, START_MS, 'start');
  world.until(() => world.phase() === 'recovery');
  const sinceMs = world.nowMs;
  world.until(() => world.phase() === 'finalRead');
  assert.ok(world.nowMs - sinceMs >= 3_900 && (world.record.status.recovery?.afterMs ?? 1) < 1_000);
});
