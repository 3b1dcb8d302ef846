import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import {
  delayed,
  geometric,
  regular,
  slotsOf,
  thinned,
  triangular,
  until,
  type Arrivals,
} from '../../../src/core/schedule/arrivals.ts';

const times = (arrivals: Arrivals, seed = 1): number[] =>
  [...slotsOf(arrivals, new Random(seed))].map(({ atMs }) => atMs);

test('regular, delayed and until', () => {
  assert.deepEqual(times(until(50, regular(10))), [10, 20, 30, 40]);
  assert.deepEqual(times(until(50, delayed(15, regular(10)))), [25, 35, 45]);
  assert.deepEqual(times(delayed(15, until(50, regular(10)))), [25, 35, 45, 55]);
});

test('the means are right, and times only grow', () => {
  for (const arrivals of [triangular(1_000), geometric(1_000)]) {
    const drawn = times(until(5_000_000, arrivals), 7);
    assert.ok(Math.abs(drawn.length - 5_000) < 250, `${arrivals.arrive}: ${drawn.length}`);
    for (let index = 1; index < drawn.length; index++) {
      assert.ok((drawn[index] ?? 0) > (drawn[index - 1] ?? 0));
    }
  }
});

test('no gap of the triangle is longer than twice its mean', () => {
  const drawn = times(until(1_000_000, triangular(1_000)), 3);
  const gaps = drawn.map((atMs, index) => atMs - (drawn[index - 1] ?? 0));
  assert.ok(Math.max(...gaps) <= 2_000);
});

test('thinning leaves out, and moves and renumbers nothing', () => {
  const whole = [...slotsOf(until(1_000_000, triangular(1_000)), new Random(5))];
  const thin = thinned({ numerator: 1, denominator: 4 }, until(1_000_000, triangular(1_000)));
  const left = [...slotsOf(thin, new Random(5))];
  for (const slot of left) assert.deepEqual(slot, whole[slot.number - 1]);
  const share = left.length / whole.length;
  assert.ok(share > 0.7 && share < 0.8, String(share));
});
