import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { KINDS, stands, targetsOf } from '../../src/core/faults/registry.ts';
import { EXAMPLE_TOPOLOGY } from '../../src/core/model/example-topology.ts';
import type { AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import { hasEnded } from '../../src/core/model/lifecycle.ts';
import type { FaultKind } from '../../src/core/model/fault.ts';
import { AgentRig, type CrashPoint, type RigOptions } from '../support/agent-rig.ts';

interface Case {
  name: string;
  node: string;
  request: AgentFaultRequest;
}

function caseOf(kind: FaultKind, example: { title: string; params: unknown }): Case {
  const params = example.params as Record<string, unknown>;
  const selected = targetsOf(kind, params) === 'required' ? ['n1'] : [];
  const node = kind.actors(params, EXAMPLE_TOPOLOGY, selected, () => true)[0] ?? 'n1';
  return {
    name: `${kind.kind}: ${example.title}`,
    node,
    request: {
      id: 'crash-1',
      kind: kind.kind,
      params,
      ...(selected.length > 0 ? { targets: selected } : {}),
      ...(stands(kind, params) ? { duration: '12s' } : {}),
      context: {
        owner: 'test',
        instance: 1,
        topology: EXAMPLE_TOPOLOGY,
        selected,
        coordinatorAddresses: ['198.18.0.254'],
        armOnly: false,
        seed: '7',
      },
    },
  };
}

const CASES = KINDS.flatMap((kind) => kind.examples.map((example) => caseOf(kind, example)));

interface Outcome {
  snapshots: string[];
  effects: number;
  writes: number;
}

/** A whole life without a crash: what it leaves, and how many places there are to crash at. */
async function wholeLife(each: Case): Promise<Outcome> {
  const rig = new AgentRig({ node: each.node });
  const baseline = JSON.stringify(rig.linux.snapshot());
  await rig.start();
  const reply = await rig.create(each.request);
  assert.equal(reply?.status, 201, `${each.name}: ${JSON.stringify(reply)}`);
  await rig.advance(20_000);
  assert.deepEqual(rig.bugs, []);
  const status = rig.status('crash-1');
  assert.equal(status?.state, 'healed', `${each.name}: ${status?.error}`);
  assert.notEqual(status.receipt.effect, 'unseen', each.name);
  const after = JSON.stringify(rig.linux.snapshot());
  // What a kind calls irreversible may be as it was, or as the fault left it; nothing in between.
  const outcome = {
    snapshots: [...new Set([baseline, after])],
    effects: rig.linux.effects.length,
    writes: rig.file.writes,
  };
  assert.ok(await rig.journalIsEmpty(), `${each.name}: the journal keeps something`);
  return outcome;
}

/** @returns what is wrong after a crash at this point and another start; undefined: nothing. */
async function crashAndRestart(
  each: Case,
  point: CrashPoint,
  whole: Outcome,
  options: RigOptions = {},
): Promise<string | undefined> {
  const rig = new AgentRig({ node: each.node, ...options });
  await rig.start();
  rig.crashAt(point);
  await rig.create(each.request);
  await rig.advance(20_000);
  rig.kill();
  await rig.start();
  await rig.advance(1_000);
  const where = `${each.name}, ${point.in} ${point.at} ${point.how}`;
  if (rig.bugs.length > 0) return `${where}: ${String(rig.bugs[0])}`;
  const snapshot = JSON.stringify(rig.linux.snapshot());
  if (!whole.snapshots.includes(snapshot)) return `${where}: the machine is ${snapshot}`;
  const open = [...rig.driver.state.faults.values()].find((fault) => !hasEnded(fault.state));
  if (open) return `${where}: ${open.state}`;
  // Healing twice is healing once.
  rig.kill();
  await rig.start();
  if (JSON.stringify(rig.linux.snapshot()) !== snapshot) return `${where}: healed twice differs`;
  if (!(await rig.journalIsEmpty())) return `${where}: the journal keeps something`;
  return undefined;
}

function pointsOf(whole: Outcome): CrashPoint[] {
  const points: CrashPoint[] = [];
  for (let at = 1; at <= whole.effects; at++)
    for (const how of ['before', 'after'] as const) points.push({ in: 'machine', at, how });
  for (let at = 1; at <= whole.writes; at++)
    for (const how of ['before', 'torn', 'after'] as const) points.push({ in: 'journal', at, how });
  return points;
}

suite('crash anywhere, start again: the machine is what it was, and the journal is empty', () => {
  for (const each of CASES) {
    test(each.name, async () => {
      const whole = await wholeLife(each);
      for (const point of pointsOf(whole))
        assert.equal(await crashAndRestart(each, point, whole), undefined);
    });
  }
});

test('an agent that journals after the act is found out', async () => {
  const found: string[] = [];
  for (const each of CASES) {
    const whole = await wholeLife(each);
    for (const point of pointsOf(whole)) {
      const wrong = await crashAndRestart(each, point, whole, { journalLate: true });
      if (wrong !== undefined) found.push(each.request.kind);
    }
  }
  for (const kind of ['network.partition', 'process.pause', 'process.kill', 'cpu.load'])
    assert.ok(found.includes(kind), `a late journal went unnoticed with ${kind}`);
});

suite('overlapping faults heal in either order', () => {
  for (const first of ['one', 'two']) {
    test(`${first} first`, async () => {
      const rig = new AgentRig();
      const baseline = JSON.stringify(rig.linux.snapshot());
      await rig.start();
      const kind = KINDS.find((each) => each.kind === 'network.partition');
      assert.ok(kind);
      for (const id of ['one', 'two']) {
        const { request } = caseOf(kind, kind.examples[0] ?? { title: '', params: {} });
        assert.equal((await rig.create({ ...request, id }))?.status, 201);
      }
      await rig.advance(1_000);
      const dropped = rig.linux.dropped();
      const second = first === 'one' ? 'two' : 'one';
      await rig.driver.request({ event: 'heal', id: first });
      await rig.settle();
      assert.equal(rig.status(first)?.state, 'healed');
      assert.deepEqual(rig.linux.dropped(), dropped, 'the other one still stands');
      await rig.driver.request({ event: 'heal', id: second });
      await rig.settle();
      assert.equal(JSON.stringify(rig.linux.snapshot()), baseline);
      assert.ok(await rig.journalIsEmpty());
    });
  }
});
