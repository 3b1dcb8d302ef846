import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, instant, length, shortCount, words } from '../../src/web/format.ts';
import { indexAt, merged, rowsOf, stretches, ticks } from '../../src/web/report/layout.ts';

test('spans that overlap stand in different rows, others share one', () => {
  const spans = [
    { fromMs: 0, toMs: 10 },
    { fromMs: 5, toMs: 15 },
    { fromMs: 10, toMs: 20 },
  ];
  assert.deepEqual(rowsOf(spans), [0, 1, 0]);
  assert.deepEqual(rowsOf(spans, 1), [0, 1, 2]);
});

test('touching windows become one that counts them', () => {
  const spans = [
    { fromMs: 8, toMs: 9 },
    { fromMs: 0, toMs: 4 },
    { fromMs: 4, toMs: 5 },
  ];
  assert.deepEqual(merged(spans), [
    { fromMs: 0, toMs: 5, count: 2 },
    { fromMs: 8, toMs: 9, count: 1 },
  ]);
});

test('samples of the same value are one stretch to the end', () => {
  assert.deepEqual(stretches([0, 1, 2], [7, 7, 8], 5), [
    { fromMs: 0, toMs: 2, value: 7 },
    { fromMs: 2, toMs: 5, value: 8 },
  ]);
});

test('ticks are round and few', () => {
  assert.deepEqual(ticks(0, 90_000, 4), [0, 30_000, 60_000, 90_000]);
  assert.ok(ticks(0, 86_400_000 * 9, 8).length <= 9);
});

test('the sample at an instant is the last before it', () => {
  assert.deepEqual(
    [-1, 0, 5, 10, 99].map((ms) => indexAt([0, 10], ms)),
    [-1, 0, 0, 1, 1],
  );
});

test('numbers and times as people read them', () => {
  assert.equal(instant(83_400), '1:23.4');
  assert.equal(instant(3_600_000, 0), '1:00:00');
  assert.equal(instant(59_999, 1), '1:00.0');
  assert.equal(length(12_340), '12.3 s');
  assert.equal(length(83_000), '1 min 23 s');
  assert.equal(count(1_234_567), '1,234,567');
  assert.equal(shortCount(20_000), '20k');
  assert.equal(words('lostWrite'), 'lost write');
});
