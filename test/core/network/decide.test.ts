import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Decider, keepsOrder } from '../../../src/core/network/decide.ts';
import type { PacketShape } from '../../../src/core/model/packet-shape.ts';

const part = (numerator: number, denominator: number) => ({ numerator, denominator });
const NONE = part(0, 1);
const COUNT = 50_000;

interface Outcome {
  drop: boolean;
  duplicate: boolean;
  corrupt: boolean;
  delayUs: number;
}

function outcomes(shape: PacketShape, seed = 1, count = COUNT): Outcome[] {
  const decider = new Decider(shape, seed);
  return Array.from({ length: count }, () => {
    decider.next();
    const { drop, duplicate, corrupt, delayUs } = decider;
    return { drop, duplicate, corrupt, delayUs };
  });
}

const share = (all: readonly Outcome[], of: (each: Outcome) => boolean): number =>
  all.filter(of).length / all.length;

function moments(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

function near(found: number, wanted: number, within: number, what: string): void {
  assert.ok(Math.abs(found - wanted) <= within, `${what}: ${found}, wanted ${wanted}`);
}

suite('decisions on packets', () => {
  const everything: PacketShape = {
    loss: { p: part(1, 50), r: part(1, 4), h: part(1, 10), k: part(99, 100) },
    duplicate: { ratio: part(1, 10), correlation: part(1, 4) },
    corrupt: { ratio: part(1, 20), correlation: NONE, bytes: 1, checksum: 'kept' },
    reorder: { chosen: { gap: 7 }, holdUs: 5_000 },
    delay: {
      latencyUs: 10_000,
      jitterUs: 3_000,
      distribution: 'normal',
      correlation: part(1, 2),
    },
  };

  test('the same seed decides alike, another one does not', () => {
    assert.deepEqual(outcomes(everything, 3, 2_000), outcomes(everything, 3, 2_000));
    assert.notDeepEqual(outcomes(everything, 3, 2_000), outcomes(everything, 4, 2_000));
  });

  test('one part does not move the draws of another', () => {
    const { loss: _loss, ...rest } = everything;
    const { duplicate: _duplicate, ...without } = rest;
    const delays = (shape: PacketShape): number[] =>
      outcomes(shape, 3, 2_000).map(({ delayUs }) => delayUs);
    assert.deepEqual(delays(rest), delays(without));
  });

  test('golden: what these seeds have always meant', () => {
    const loss = outcomes({ loss: { ratio: part(1, 4), correlation: NONE } }, 42, 40);
    assert.equal(loss.map(({ drop }) => (drop ? 'x' : '.')).join(''), GOLDEN_LOSS);
    const delay = { latencyUs: 1_000, jitterUs: 100, distribution: 'normal' } as const;
    const delays = outcomes({ delay: { ...delay, correlation: NONE } }, 42, 8);
    assert.deepEqual(
      delays.map(({ delayUs }) => delayUs),
      GOLDEN_DELAYS,
    );
  });

  test('a correlation changes runs, not the share', () => {
    for (const correlation of [NONE, part(1, 2), part(9, 10)]) {
      const all = outcomes({ loss: { ratio: part(1, 10), correlation } });
      const text = `correlation ${correlation.numerator}/${correlation.denominator}`;
      near(
        share(all, ({ drop }) => drop),
        0.1,
        0.02,
        text,
      );
      const lost = all.filter(({ drop }) => drop).length;
      const again = all.filter(({ drop }, at) => drop && all[at - 1]?.drop === true).length / lost;
      const c = correlation.numerator / correlation.denominator;
      near(again, c + (1 - c) * 0.1, 0.05, `${text}: lost after a lost one`);
    }
  });

  test('Gilbert-Elliott: mean loss and length of bursts as computed', () => {
    const [p, r] = [0.01, 0.2];
    const all = outcomes({
      loss: { p: part(1, 100), r: part(1, 5), h: NONE, k: part(1, 1) },
    });
    near(
      share(all, ({ drop }) => drop),
      p / (p + r),
      0.01,
      'mean loss',
    );
    const lost = all.filter(({ drop }) => drop).length;
    const bursts = all.filter(({ drop }, at) => drop && all[at - 1]?.drop !== true).length;
    near(lost / bursts, 1 / r, 0.5, 'length of a burst');
    const some = outcomes({
      loss: { p: part(1, 100), r: part(1, 5), h: part(1, 2), k: part(1, 1) },
    });
    near(
      share(some, ({ drop }) => drop),
      p / (p + r) / 2,
      0.01,
      'half of the bad ones arrive',
    );
  });

  test('distributions: mean latency, spread jitter, never negative', () => {
    for (const [distribution, deviation] of [
      ['uniform', 5_000 / Math.sqrt(3)],
      ['normal', 5_000],
      ['pareto', 5_000],
    ] as const) {
      const delay = { latencyUs: 50_000, jitterUs: 5_000, distribution, correlation: NONE };
      const delays = outcomes({ delay }).map(({ delayUs }) => delayUs);
      const found = moments(delays);
      near(found.mean, 50_000, 200, `${distribution} mean`);
      // The pareto's tail is cut at the last of 4096 quantiles.
      near(found.deviation, deviation, distribution === 'pareto' ? 700 : 150, distribution);
    }
    const wide = { latencyUs: 1_000, jitterUs: 9_000, distribution: 'normal' } as const;
    const all = outcomes({ delay: { ...wide, correlation: NONE } });
    assert.ok(all.every(({ delayUs }) => delayUs >= 0));
  });

  test('certain and impossible are exact', () => {
    const always = outcomes({ loss: { ratio: part(1, 1), correlation: NONE } });
    assert.ok(always.every(({ drop }) => drop));
    const never = outcomes({ duplicate: { ratio: NONE, correlation: NONE } });
    assert.ok(never.every(({ duplicate }) => !duplicate));
  });

  test('order is kept unless something makes packets overtake', () => {
    assert.equal(keepsOrder(everything), false);
    const { delay } = everything;
    assert.ok(delay);
    assert.equal(keepsOrder({ delay }), false);
    assert.equal(keepsOrder({ delay: { ...delay, jitterUs: 0 } }), true);
  });
});

const GOLDEN_LOSS = '.x.x....x.x..x.x..x..xx....x.x..x...x...';
const GOLDEN_DELAYS = [846, 1011, 1010, 878, 1005, 1097, 951, 931];
