import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { canonicalJson } from '../../src/core/base/canonical-json.ts';
import { Random } from '../../src/core/base/random.ts';
import { checkSchema } from '../../src/core/base/schema.ts';
import { checkFault, KINDS, stands } from '../../src/core/faults/registry.ts';
import { describeAct } from '../../src/core/model/act.ts';
import { EXAMPLE_TOPOLOGY } from '../../src/core/model/example-topology.ts';
import { NEEDS, type Here, type Step } from '../../src/core/model/fault.ts';
import type { FakeLinux } from '../support/fake-linux.ts';
import {
  CASES,
  factsOf,
  hereOf,
  machine,
  planOf,
  reversible,
  undoAll,
  undoOf,
  type Case,
  type Params,
} from './cases.ts';

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
    const alone = /^(process|cpu|kafka)\.|^network\.dns$|^disk\.(fill|flip|powercut)$/.test(
      each.kind.kind,
    );
    assert.equal(claims.length > 0, alone, 'who holds what alone');
    assert.equal(new Set(claims.map((claim) => claim.key)).size, claims.length);
  });
});
