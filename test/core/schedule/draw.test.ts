import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { labTopology } from '../../../src/cli/lab-topology.ts';
import { checkFault } from '../../../src/core/faults/registry.ts';
import { checkScenario } from '../../../src/core/coordinator/check-scenario.ts';
import { scheduleOf } from '../../../src/core/coordinator/schedule-of.ts';
import { checkSchema } from '../../../src/core/base/schema.ts';
import { formatDuration } from '../../../src/core/base/duration.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import { Id } from '../../../src/core/model/topology.ts';
import { scheduleBytes } from '../../../src/core/schedule/schedule-bytes.ts';
import { simulate } from '../../../src/core/schedule/simulate.ts';
import { draw, drawing, KIND_NAMES } from './support.ts';

const SEEDS = Array.from({ length: 100 }, (_, index) => index + 1);
const GOLDEN = join(import.meta.dirname, 'golden');
const SCENARIOS = join(import.meta.dirname, '../../../scenarios');

test('the golden schedules are what their seeds mean', () => {
  const files = readdirSync(GOLDEN).filter((file) => file.endsWith('.json'));
  assert.ok(files.length >= 4);
  for (const file of files) {
    const [, name = '', seed = ''] = /^(.+)-([0-9]+)\.json$/.exec(file) ?? [];
    const document: unknown = parse(readFileSync(join(SCENARIOS, `${name}.yaml`), 'utf8'));
    const scenario = checkScenario(document, labTopology());
    assert.ok(scenario.ok, file);
    const bytes = scheduleBytes(scheduleOf(scenario.value, seed, labTopology()));
    // A change here is a change of what every seed means: raise SCHEDULE_VERSION, then
    // './faultline schedule scenarios/NAME.yaml --seed N --json > test/core/schedule/golden/NAME-N.json'.
    assert.equal(bytes, readFileSync(join(GOLDEN, file), 'utf8'), file);
  }
});

test('the same seed gives the same bytes, another seed others', () => {
  const scenario = drawing();
  const all = SEEDS.map((seed) => scheduleBytes(draw(scenario, seed)));
  assert.deepEqual(
    SEEDS.map((seed) => scheduleBytes(draw(scenario, seed))),
    all,
  );
  assert.equal(new Set(all).size, SEEDS.length);
});

test('what no draw could span, and what would never be drawn to its end, is refused', () => {
  for (const [every, duration] of [
    ['60d', '100d'],
    ['1ms', '1d'],
    ['0s', '1m'],
  ] as const) {
    const scenario = { ...drawing({}, { duration: '10m' }), duration };
    const document = { ...scenario, draw: { ...scenario.draw, every } };
    const checked = checkScenario(document, EXAMPLE_TOPOLOGY);
    assert.ok(!checked.ok, every);
    assert.deepEqual(
      checked.problems.map(({ path }) => path),
      ['/draw/every'],
    );
  }
});

test('a fault that would be repeated without end is refused, and not cut off', () => {
  const fault = { at: '10s', kind: 'process.kill', targets: 'n1', params: { restart: 'never' } };
  const problemsOf = (every: string, duration: string): string[] => {
    const faults = [{ ...fault, every }];
    const checked = checkScenario({ ...drawing(), duration, faults }, EXAMPLE_TOPOLOGY);
    return checked.ok ? [] : checked.problems.map(({ path }) => path);
  };
  assert.deepEqual(problemsOf('1s', '1010s'), []);
  assert.deepEqual(problemsOf('1s', '1012s'), ['/faults/0/every']);
  assert.deepEqual(problemsOf('0s', '1m'), ['/faults/0/every']);
});

test('every drawn fault is one that the coordinator takes', () => {
  const scenario = drawing({ swarm: false });
  for (const seed of SEEDS) {
    const ids = new Set<string>();
    for (const fault of draw(scenario, seed).faults) {
      assert.ok(checkSchema(Id, fault.id).ok, fault.id);
      assert.ok(!ids.has(fault.id), fault.id);
      ids.add(fault.id);
      const { durationMs, kind, params, targets } = fault;
      const duration = durationMs === undefined ? {} : { duration: formatDuration(durationMs) };
      const request = { kind, params, ...(targets === undefined ? {} : { targets }), ...duration };
      assert.deepEqual(checkFault(request, EXAMPLE_TOPOLOGY), [], JSON.stringify(fault));
    }
  }
});

test('faults keep to their times: in order, in number, in length, away from quiet ends', () => {
  const scenario = drawing({ concurrent: 2, quiet: { start: '20s', end: '30s' } });
  for (const seed of SEEDS) {
    const schedule = draw(scenario, seed);
    assert.ok(simulate(schedule).most <= 2, `seed ${seed}`);
    let lastMs = 0;
    for (const { atMs, durationMs = 0 } of schedule.faults) {
      assert.ok(Number.isInteger(atMs) && atMs >= lastMs && atMs >= 20_000, `seed ${seed}`);
      assert.ok(atMs + durationMs <= 600_000 - 30_000, `seed ${seed}`);
      assert.ok(durationMs === 0 || (durationMs >= 2_000 && durationMs <= 8_000), `seed ${seed}`);
      lastMs = atMs;
    }
  }
});

test('the mean time between starts is what was asked for', () => {
  for (const arrivals of ['triangular', 'geometric', 'regular'] as const) {
    const scenario = drawing({ arrivals, concurrent: 16, kinds: [{ kind: 'noop' }] });
    const counts = SEEDS.map((seed) => draw(scenario, seed).faults.length);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    // 600 s at one every 10 s, less the few whose node was taken or whose end came too late.
    assert.ok(mean > 50 && mean < 62, `${arrivals}: ${mean}`);
  }
});

test('another kind takes slots, and moves nothing that is drawn for the others', () => {
  const some = KIND_NAMES.filter((kind) => kind !== 'process.pause');
  // Room for all, so that nothing is pushed: what is drawn shows as it is.
  const roomy = { swarm: false, concurrent: 16, every: '60s' } as const;
  const base = drawing({ ...roomy, kinds: some.map((kind) => ({ kind })) }, { duration: '4h' });
  const more = drawing(
    { ...roomy, kinds: [{ kind: 'process.pause' }, ...some.map((kind) => ({ kind }))] },
    { duration: '4h' },
  );
  let kept = 0;
  let taken = 0;
  for (const seed of SEEDS.slice(0, 20)) {
    const before = new Map(draw(base, seed).faults.map((fault) => [fault.atMs, fault]));
    for (const fault of draw(more, seed).faults) {
      const was = before.get(fault.atMs);
      if (was === undefined) continue;
      if (fault.kind === 'process.pause') {
        taken += 1;
        continue;
      }
      assert.deepEqual({ ...fault, id: '' }, { ...was, id: '' }, `seed ${seed}`);
      kept += 1;
    }
  }
  assert.ok(kept > 1_000, `kept ${kept}`);
  // One of all kinds with equal weights: about its share of the slots.
  const ofShare = (taken / (kept + taken)) * (some.length + 1);
  assert.ok(ofShare > 0.75 && ofShare < 1.25, `${taken} of ${kept}`);
});

test('the order of the kinds in the document does not count', () => {
  const kinds = KIND_NAMES.map((kind) => ({ kind }));
  for (const seed of SEEDS.slice(0, 20)) {
    const forth = draw(drawing({ kinds }), seed);
    const back = draw(drawing({ kinds: kinds.toReversed() }), seed);
    assert.deepEqual(back.faults, forth.faults);
  }
});

test('swarm switches kinds off for a whole run, and never all of them', () => {
  const scenario = drawing();
  const sizes = new Set<number>();
  for (const seed of SEEDS) {
    const { kinds, faults } = draw(scenario, seed);
    sizes.add(kinds.length);
    assert.ok(kinds.length > 0);
    for (const { kind } of faults) assert.ok(kinds.includes(kind), `seed ${seed}: ${kind}`);
  }
  assert.ok(sizes.size >= 3, [...sizes].join(' '));
  const all = draw(drawing({ swarm: false }), 1);
  assert.deepEqual(all.kinds, KIND_NAMES);
});

test('weights are shares, and 0 is never', () => {
  const scenario = drawing({
    swarm: false,
    concurrent: 16,
    kinds: [
      { kind: 'noop', weight: 3 },
      { kind: 'cpu.load', weight: 1 },
      { kind: 'process.kill', weight: 0 },
    ],
  });
  const counts: Record<string, number> = {};
  for (const seed of SEEDS) {
    for (const [kind, count] of Object.entries(simulate(draw(scenario, seed)).counts)) {
      counts[kind] = (counts[kind] ?? 0) + count;
    }
  }
  assert.equal(counts['process.kill'], undefined);
  const share = (counts['cpu.load'] ?? 0) / ((counts['noop'] ?? 0) + (counts['cpu.load'] ?? 0));
  assert.ok(share > 0.22 && share < 0.28, String(share));
});

test('limits hold at every moment of the schedule', () => {
  const scenario = drawing(
    {
      swarm: false,
      concurrent: 4,
      every: '4s',
      kinds: [{ kind: 'process.kill' }, { kind: 'process.pause' }],
    },
    { limits: { nodes: 2 } },
  );
  for (const seed of SEEDS) {
    const schedule = draw(scenario, seed);
    for (const { standing } of simulate(schedule).stretches) {
      const nodes = new Set(
        standing.map((id) => JSON.stringify(schedule.faults.find((one) => one.id === id)?.targets)),
      );
      assert.ok(nodes.size <= 2, `seed ${seed}`);
    }
  }
});

test('what the scenario fixes goes over what is drawn, and a random selector is resolved by the seed', () => {
  const scenario = drawing({
    swarm: false,
    kinds: [
      { kind: 'network.partition', params: { shape: 'isolate' }, targets: 'one of role(broker)' },
    ],
  });
  const names = new Set<string>();
  for (const seed of SEEDS.slice(0, 30)) {
    for (const fault of draw(scenario, seed).faults) {
      assert.equal(fault.params['shape'], 'isolate');
      assert.equal(fault.params['direction'], undefined);
      assert.equal(fault.selector, 'one of role(broker)');
      assert.ok(Array.isArray(fault.targets) && fault.targets.length === 1);
      names.add(fault.targets[0] ?? '');
    }
  }
  assert.ok(names.size >= 4, [...names].join(' '));
});

test('a selector that needs the cluster stays as it was written', () => {
  const scenario = drawing({ kinds: [{ kind: 'process.pause', targets: 'leader(orders-0)' }] });
  const { faults } = draw(scenario, 1);
  assert.ok(faults.length > 0);
  for (const fault of faults) assert.equal(fault.targets, 'leader(orders-0)');
});

test('planned faults stand at their times, each repetition by itself', () => {
  const scenario = drawing(undefined, {
    draw: undefined,
    duration: '60s',
    faults: [
      {
        id: 'cut',
        at: '10s',
        kind: 'network.partition',
        params: { groups: [['n1'], ['n2']] },
        duration: '5s',
        every: '20s',
      },
      { at: '50s', kind: 'process.kill', targets: 'n3', params: { restart: 'never' } },
    ],
  });
  const { faults } = draw(scenario, 9);
  const brief = faults.map(({ id, atMs, durationMs }) => [id, atMs, durationMs]);
  assert.deepEqual(brief, [
    ['cut', 10_000, 5_000],
    ['cut-2', 30_000, 5_000],
    ['cut-3', 50_000, 5_000],
    ['test-9-4', 50_000, undefined],
  ]);
});
