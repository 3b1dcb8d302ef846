import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { canonicalJson } from '../../src/core/base/canonical-json.ts';
import { shortHash } from '../../src/core/base/hash.ts';
import { Random } from '../../src/core/base/random.ts';
import { checkSchema } from '../../src/core/base/schema.ts';
import { checkFault, KINDS, stands, targetsOf } from '../../src/core/faults/registry.ts';
import { describeAct, type Act } from '../../src/core/model/act.ts';
import { EXAMPLE_TOPOLOGY } from '../../src/core/model/example-topology.ts';
import {
  NEEDS,
  type FaultKind,
  type Facts,
  type Here,
  type Step,
} from '../../src/core/model/fault.ts';
import type { Answer } from '../../src/core/model/query.ts';
import { FakeLinux } from '../support/fake-linux.ts';

type Params = Record<string, unknown>;

interface Case {
  name: string;
  kind: FaultKind;
  params: Params;
  selected: string[];
  actors: string[];
}

const CASES: Case[] = KINDS.flatMap((kind) =>
  kind.examples.map((example) => {
    const params = example.params as Params;
    const selected = targetsOf(kind, params) === 'required' ? ['n1'] : [];
    const actors = kind.actors(params, EXAMPLE_TOPOLOGY, selected);
    return { name: `${kind.kind}: ${example.title}`, kind, params, selected, actors };
  }),
);

function hereOf(each: Case, node: string, faultId = 'fault-1'): Here {
  return {
    faultId,
    instance: 1,
    token: `faultline-${shortHash(`${faultId}#1`)}`,
    node,
    topology: EXAMPLE_TOPOLOGY,
    targets: each.selected,
    control: { coordinatorAddresses: ['198.18.0.254'], agentPort: 8611 },
    random: new Random(7).fork(each.kind.kind).fork(node),
  };
}

function machine(): FakeLinux {
  const linux = new FakeLinux();
  linux.addService('broker', ['/usr/bin/java', '-Xmx1g', 'kafka.Kafka', 'server.properties']);
  linux.addProcess(['/usr/sbin/cron', '-f']);
  return linux;
}

async function factsOf(each: Case, here: Here, linux: FakeLinux): Promise<Facts> {
  const facts: Answer[] = [];
  for (const query of each.kind.observe(each.params, here)) facts.push(await linux.ask(query));
  return facts;
}

async function planOf(each: Case, here: Here, linux: FakeLinux): Promise<Step[]> {
  const plan = each.kind.plan(each.params, here, await factsOf(each, here, linux));
  assert.deepEqual(
    plan.filter((part) => 'message' in part),
    [],
    each.name,
  );
  return plan as Step[];
}

const undoOf = (step: Step): Act | undefined => ('act' in step.undo ? step.undo : undefined);

async function undoAll(linux: FakeLinux, steps: readonly Step[]): Promise<void> {
  for (const step of steps.toReversed()) {
    const undo = undoOf(step);
    if (undo) await linux.perform(undo);
  }
}

const reversible = (steps: readonly Step[]): boolean =>
  steps.some((step) => undoOf(step) !== undefined) || steps.length === 0;

/** Runs the body for every acting node of every example, on a machine of its own. */
function forEvery(
  title: string,
  body: (each: Case, here: Here, linux: FakeLinux, steps: Step[]) => Promise<void>,
): void {
  for (const each of CASES) {
    test(`${each.name}: ${title}`, async () => {
      assert.ok(each.actors.length > 0, 'somebody acts');
      for (const node of each.actors) {
        const linux = machine();
        const here = hereOf(each, node);
        await body(each, here, linux, await planOf(each, here, linux));
      }
    });
  }
}

suite('every kind', () => {
  for (const kind of KINDS) {
    test(`${kind.kind} is complete`, () => {
      assert.match(kind.kind, /^[a-z]+(\.[a-z]+)?$/);
      assert.match(kind.summary, /\.$/);
      assert.ok(kind.doc.length > 200 && kind.examples.length > 0);
      assert.match(kind.colour, /^#[0-9a-f]{6}$/);
      for (const set of kind.needs) for (const need of set) assert.ok(NEEDS.includes(need));
    });

    test(`${kind.kind} draws what it would accept, the same from the same seed`, () => {
      const small = { name: 'one', nodes: EXAMPLE_TOPOLOGY.nodes.slice(0, 1) };
      for (let seed = 0; seed < 300; seed++) {
        const drawn = kind.draw(new Random(seed), EXAMPLE_TOPOLOGY);
        assert.deepEqual(kind.draw(new Random(seed), EXAMPLE_TOPOLOGY), drawn);
        const duration = stands(kind, drawn.params as Params) ? { duration: '10s' } : {};
        const request = { kind: kind.kind, ...drawn, params: drawn.params as Params, ...duration };
        assert.deepEqual(checkFault(request, EXAMPLE_TOPOLOGY), [], JSON.stringify(drawn));
        // A cluster of one node may make nothing worth doing, but must not break the draw.
        assert.ok(checkSchema(kind.params, kind.draw(new Random(seed), small).params).ok);
      }
    });
  }
});

suite('every example', () => {
  test('is accepted', () => {
    for (const each of CASES) {
      const targets = each.selected.length > 0 ? { targets: each.selected } : {};
      const request = { kind: each.kind.kind, params: each.params, ...targets };
      assert.deepEqual(checkFault(request, EXAMPLE_TOPOLOGY), [], each.name);
    }
  });

  test('acts only on nodes it says it may harm', () => {
    for (const each of CASES) {
      const harmed = each.kind.targets(each.params, EXAMPLE_TOPOLOGY, each.selected);
      assert.deepEqual(
        each.actors.filter((actor) => !harmed.includes(actor)),
        [],
        each.name,
      );
    }
  });

  forEvery('planning is pure', async (each, here, linux, steps) => {
    const before = canonicalJson(linux.snapshot());
    const again = await planOf(each, hereOf(each, here.node), linux);
    assert.equal(canonicalJson(again), canonicalJson(steps));
    assert.equal(canonicalJson(linux.snapshot()), before);
    assert.deepEqual(linux.effects, []);
  });

  forEvery(
    'every step has words, and what it creates carries its mark',
    async (_, here, __, steps) => {
      for (const step of steps) {
        assert.ok(step.says.length > 3);
        for (const act of [step.act, undoOf(step), step.refresh]) {
          if (!act) continue;
          assert.ok(describeAct(act).length > 3);
          // What only signals or starts what was there before creates nothing to name.
          if (act.act === 'process.signal' || act.act === 'service.start') continue;
          assert.ok(JSON.stringify(act).includes(here.token), JSON.stringify(act));
        }
        if ('irreversible' in step.undo) assert.ok(step.undo.irreversible.length > 3);
      }
    },
  );

  forEvery(
    'acts hold; undone once or twice, the machine is what it was',
    async (each, here, linux, steps) => {
      const before = canonicalJson(linux.snapshot());
      for (const step of steps) {
        await linux.perform(step.act);
        assert.equal(await linux.holds(step.act), true, step.says);
        if (step.refresh) await linux.perform(step.refresh);
      }
      assert.equal(
        reversible(steps),
        stands(each.kind, each.params),
        `${here.faultId} can be undone`,
      );
      if (!reversible(steps)) return;
      await undoAll(linux, steps);
      assert.equal(canonicalJson(linux.snapshot()), before);
      await undoAll(linux, steps);
      assert.equal(canonicalJson(linux.snapshot()), before);
      assert.deepEqual(await linux.leftovers(), []);
      assert.ok(stands(each.kind, each.params), `${here.faultId} can be undone, so it stands`);
    },
  );

  forEvery('an undo of what was never done is harmless', async (_, __, linux, steps) => {
    const before = canonicalJson(linux.snapshot());
    await undoAll(linux, steps);
    assert.equal(canonicalJson(linux.snapshot()), before);
  });

  forEvery('cut short after any step, all undos lead back', async (each, here, ___, steps) => {
    if (!reversible(steps)) return;
    for (let done = 0; done <= steps.length; done++) {
      const linux = machine();
      const before = canonicalJson(linux.snapshot());
      const own = await planOf(each, here, linux);
      for (const step of own.slice(0, done)) await linux.perform(step.act);
      await undoAll(linux, own);
      assert.equal(canonicalJson(linux.snapshot()), before, `after ${done} steps`);
    }
  });

  forEvery(
    'the witness sees it, and does not see what is not there',
    async (each, here, linux, steps) => {
      const facts = await factsOf(each, here, linux);
      const witness = each.kind.witness(each.params, here, facts);
      if ('untestable' in witness) return;
      const before = await linux.ask(witness.sample);
      if (steps.length > 0)
        assert.equal(witness.seen(before, before), false, 'seen before it is there');
      for (const step of steps) if (step.afterMs === undefined) await linux.perform(step.act);
      await linux.probe(witness.probes);
      assert.equal(witness.seen(before, await linux.ask(witness.sample)), true, witness.says);
    },
  );

  forEvery('claims name what is held alone', async (each, here, linux) => {
    const claims = each.kind.claims(each.params, here, await factsOf(each, here, linux));
    for (const claim of claims) assert.ok(claim.key.length > 2 && claim.says.length > 2);
    // A process and the CPUs are held alone; any number of network partitions may overlap.
    const alone = /^(process|cpu)\./.test(each.kind.kind);
    assert.equal(claims.length > 0, alone, 'who holds what alone');
    assert.equal(new Set(claims.map((claim) => claim.key)).size, claims.length);
  });
});

suite('two at once', () => {
  const first = (cases: readonly Case[]): Case[] =>
    cases.filter((each, index) => cases.findIndex((other) => other.kind === each.kind) === index);

  for (const left of CASES) {
    for (const right of first(CASES)) {
      test(`${left.name} with ${right.name}: healed in either order, or refused`, async () => {
        for (const leftFirst of [true, false]) await overlap(left, right, leftFirst);
      });
    }
  }
});

async function overlap(left: Case, right: Case, leftFirst: boolean): Promise<void> {
  const node = left.actors.find((actor) => right.actors.includes(actor));
  if (node === undefined) return;
  const linux = machine();
  const before = canonicalJson(linux.snapshot());
  const hereLeft = hereOf(left, node, 'left');
  const hereRight = hereOf(right, node, 'right');
  const claimsOf = async (each: Case, here: Here): Promise<string[]> =>
    each.kind.claims(each.params, here, await factsOf(each, here, linux)).map((claim) => claim.key);
  const held = new Set(await claimsOf(left, hereLeft));
  const stepsLeft = await planOf(left, hereLeft, linux);
  if ((await claimsOf(right, hereRight)).some((key) => held.has(key))) return;
  const stepsRight = await planOf(right, hereRight, linux);
  if (!reversible(stepsLeft) || !reversible(stepsRight)) return;
  for (const step of [...stepsLeft, ...stepsRight]) await linux.perform(step.act);
  const [one, other] = leftFirst ? [stepsLeft, stepsRight] : [stepsRight, stepsLeft];
  await undoAll(linux, one);
  for (const step of other) assert.equal(await linux.holds(step.act), true, step.says);
  await undoAll(linux, other);
  assert.equal(canonicalJson(linux.snapshot()), before);
}

suite('refused', () => {
  const caseOf = (kind: string, params: Params, selected = ['n1']): Case => {
    const found = KINDS.find((one) => one.kind === kind);
    assert.ok(found);
    return { name: kind, kind: found, params, selected, actors: ['n1'] };
  };
  const problemsOf = async (each: Case, linux: FakeLinux, here = hereOf(each, 'n1')) => {
    const plan = each.kind.plan(each.params, here, await factsOf(each, here, linux));
    return plan.flatMap((part) => ('message' in part ? [part.message] : []));
  };

  test('another number of processes than expected', async () => {
    const nobody = caseOf('process.pause', { process: { argumentParts: ['nobody'] } });
    assert.match((await problemsOf(nobody, machine())).join(), /0 process\(es\) match/);
    const linux = machine();
    linux.addProcess(['/usr/bin/java', 'kafka.Kafka']);
    const two = { argumentParts: ['kafka.Kafka'] };
    assert.match(
      (await problemsOf(caseOf('process.pause', { process: two }), linux)).join(),
      /2 proc/,
    );
    const expected = caseOf('process.pause', { process: { ...two, expect: 2 } });
    assert.deepEqual(await problemsOf(expected, linux), []);
  });

  test('pid 1 and its like, by name', async () => {
    for (const kind of ['process.pause', 'process.kill']) {
      const each = caseOf(kind, { process: { glob: '*init*' } });
      assert.match((await problemsOf(each, machine())).join(), /must not be touched: pid 1/);
    }
  });

  test('a service nobody knows, or nobody can start', async () => {
    const unknown = caseOf('process.kill', { process: { service: 'zookeeper' } });
    assert.match((await problemsOf(unknown, machine())).join(), /no service 'zookeeper'/);
    const linux = new FakeLinux();
    linux.addService('broker', ['/usr/bin/java', 'kafka.Kafka'], { startable: false });
    const restart = caseOf('process.kill', { restart: 'heal' });
    assert.match((await problemsOf(restart, linux)).join(), /does not say how to start/);
    const here = hereOf(restart, 'n1');
    const [step] = await planOf(caseOf('process.kill', {}), here, linux);
    assert.ok(step && 'irreversible' in step.undo);
  });

  test('what somebody else has stopped', async () => {
    const linux = machine();
    const each = caseOf('process.pause', {});
    const [step] = await planOf(each, hereOf(each, 'n1'), linux);
    assert.ok(step);
    await linux.perform(step.act);
    assert.match((await problemsOf(each, linux)).join(), /stopped already/);
  });

  test('nodes that share an address, by name', async () => {
    const each = caseOf('network.partition', { groups: [['n1'], ['n2']] }, []);
    const shared = EXAMPLE_TOPOLOGY.nodes.map((node) =>
      node.name === 'n3' ? { ...node, addresses: ['::ffff:198.18.0.2'] } : node,
    );
    const here = { ...hereOf(each, 'n1'), topology: { name: 'nat', nodes: shared } };
    assert.match((await problemsOf(each, machine(), here)).join(), /'n2' and 'n3' share/);
    const hosts = EXAMPLE_TOPOLOGY.nodes.map((node) =>
      node.name === 'n2' ? { ...node, addresses: ['broker-2.example'] } : node,
    );
    const named = { ...hereOf(each, 'n1'), topology: { name: 'names', nodes: hosts } };
    assert.match((await problemsOf(each, machine(), named)).join(), /IPv4 or IPv6/);
  });
});
