import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRatio } from '../../../src/core/base/ratio.ts';

test('ratios are exact fractions', () => {
  assert.deepEqual(parseRatio('1/8'), { numerator: 1, denominator: 8 });
  assert.deepEqual(parseRatio('12.5%'), { numerator: 125_000_000, denominator: 1_000_000_000 });
  assert.deepEqual(parseRatio(0.125), { numerator: 125_000_000, denominator: 1_000_000_000 });
  assert.deepEqual(parseRatio('100%'), { numerator: 1_000_000_000, denominator: 1_000_000_000 });
  assert.deepEqual(parseRatio('0/1'), { numerator: 0, denominator: 1 });
});

test('what lies outside 0 to 1, or is no ratio, is refused', () => {
  for (const ratio of ['9/8', '101%', '1/0', '', '1', '1/', '%', '-1/2', '1.5/2']) {
    assert.equal(parseRatio(ratio), undefined, ratio);
  }
  for (const ratio of [-0.1, 1.1, Number.NaN]) assert.equal(parseRatio(ratio), undefined);
});
