import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { Random } from '../../../src/core/base/random.ts';
import {
  cutBridge,
  cutGroups,
  cutHalves,
  cutIsolate,
  cutMajoritiesRing,
  cutOneWay,
  drawHalf,
  nodesOfCuts,
  type Cuts,
} from '../../../src/core/model/partition-shape.ts';

const SEED = { seed: 20_261_123, numRuns: 300 };
const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i + 1}`);
const nodesOf = (min: number): fc.Arbitrary<string[]> => fc.integer({ min, max: 40 }).map(named);
const seeds = fc.integer({ min: 0, max: 1_000_000 });

const loses = (cuts: Cuts, hearer: string, speaker: string): boolean =>
  cuts.get(hearer)?.includes(speaker) ?? false;

function assertSymmetric(cuts: Cuts): void {
  for (const [hearer, speakers] of cuts) {
    for (const speaker of speakers) assert.ok(loses(cuts, speaker, hearer), `${speaker} ${hearer}`);
  }
}

/** Every pair, held against a definition. */
function assertCuts(
  nodes: readonly string[],
  cuts: Cuts,
  definition: (hearer: string, speaker: string) => boolean,
): void {
  for (const hearer of nodes) {
    assert.ok(!loses(cuts, hearer, hearer), `${hearer} does not hear itself`);
    for (const speaker of nodes) {
      if (hearer === speaker) continue;
      const expected = definition(hearer, speaker);
      assert.equal(loses(cuts, hearer, speaker), expected, `${hearer} <- ${speaker}`);
    }
    const dropped = cuts.get(hearer);
    if (dropped) assert.ok(dropped.length > 0 && new Set(dropped).size === dropped.length);
  }
}

suite('partition shapes', () => {
  test('groups: other groups are lost, one’s own is not, strangers are untouched', () => {
    fc.assert(
      fc.property(nodesOf(2), seeds, (nodes, seed) => {
        const random = new Random(seed);
        const groupOf = new Map(nodes.map((node) => [node, random.below(4)]));
        const groups = [0, 1, 2].map((g) => nodes.filter((node) => groupOf.get(node) === g));
        const cuts = cutGroups(groups);
        assertCuts(nodes, cuts, (a, b) => {
          const [left = 3, right = 3] = [groupOf.get(a), groupOf.get(b)];
          return left !== 3 && right !== 3 && left !== right;
        });
      }),
      SEED,
    );
  });

  test('isolate: a target loses everybody, all others only the targets', () => {
    fc.assert(
      fc.property(nodesOf(1), seeds, (nodes, seed) => {
        const targets = new Random(seed).sample(nodes, 1 + (seed % nodes.length));
        const cuts = cutIsolate(nodes, targets);
        assertCuts(nodes, cuts, (a, b) => targets.includes(a) || targets.includes(b));
      }),
      SEED,
    );
  });

  test('halves: two sides, as even as can be where chance draws them', () => {
    fc.assert(
      fc.property(nodesOf(2), seeds, (nodes, seed) => {
        const half = drawHalf(nodes, new Random(seed));
        assert.equal(half.length, Math.floor(nodes.length / 2));
        const cuts = cutHalves(nodes, half);
        assertCuts(nodes, cuts, (a, b) => half.includes(a) !== half.includes(b));
      }),
      SEED,
    );
  });

  test('bridge: it hears and is heard by all; the rest is two halves', () => {
    fc.assert(
      fc.property(nodesOf(3), seeds, (nodes, seed) => {
        const random = new Random(seed);
        const bridge = random.pick(nodes);
        const cuts = cutBridge(nodes, [bridge], random);
        assertSymmetric(cuts);
        assert.ok(!nodesOfCuts(cuts).includes(bridge));
        const sides = new Map<string, string[]>();
        const rest = nodes.filter((node) => node !== bridge);
        for (const node of rest) {
          const heard = rest.filter((other) => !loses(cuts, node, other)).join(' ');
          sides.set(heard, [...(sides.get(heard) ?? []), node]);
        }
        assert.equal(sides.size, 2);
        for (const [heard, members] of sides) assert.equal(heard, members.join(' '));
      }),
      SEED,
    );
  });

  test('one way: exactly one direction between the targets and the rest', () => {
    fc.assert(
      fc.property(nodesOf(2), seeds, (nodes, seed) => {
        const targets = new Random(seed).sample(nodes, 1 + (seed % (nodes.length - 1)));
        const deaf = cutOneWay(nodes, targets, 'inbound');
        assertCuts(nodes, deaf, (a, b) => targets.includes(a) && !targets.includes(b));
        const mute = cutOneWay(nodes, targets, 'outbound');
        assertCuts(nodes, mute, (a, b) => !targets.includes(a) && targets.includes(b));
      }),
      SEED,
    );
  });

  test('majorities ring: all see a majority, no two the same, links fail both ways', () => {
    fc.assert(
      fc.property(nodesOf(3), seeds, (nodes, seed) => {
        const cuts = cutMajoritiesRing(nodes, new Random(seed));
        assertSymmetric(cuts);
        const majority = Math.floor(nodes.length / 2) + 1;
        const seen = nodes.map((node) => nodes.filter((other) => !loses(cuts, node, other)));
        const sizes = seen.map((visible) => visible.length);
        for (const size of sizes) assert.ok(size >= majority, `sees only ${size}`);
        const larger = sizes.filter((size) => size > majority);
        assert.ok(larger.length <= 1 && larger.every((size) => size === majority + 1));
        assert.equal(new Set(seen.map((visible) => visible.join(' '))).size, nodes.length);
      }),
      SEED,
    );
  });

  test('the same seed gives the same cuts, another one others', () => {
    const once = cutMajoritiesRing(named(9), new Random(1));
    assert.deepEqual(cutMajoritiesRing(named(9), new Random(1)), once);
    assert.notDeepEqual(cutMajoritiesRing(named(9), new Random(2)), once);
  });
});
