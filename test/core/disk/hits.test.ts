import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskHits, hitEvent, type DiskHit } from '../../../src/core/disk/hits.ts';

const hit = (token: string): DiskHit => ({
  faults: [token],
  operation: 'write',
  path: 'orders-0/a.log',
  errno: 5,
});
const many = (token: string, count: number): DiskHit[] =>
  Array.from({ length: count }, () => hit(token));
const NOBODY = new Set<string>();

test('ten hits are told of at once, one a second after that, and all others counted', () => {
  const hits = new DiskHits();
  const first = hits.take(many('a', 30), new Map([['a', 500]]), NOBODY, 0);
  assert.equal(first.notes.length, 10);
  assert.equal(first.isMore, true);
  assert.deepEqual(hits.take([], new Map([['a', 500]]), NOBODY, 500).notes, []);
  const later = hits.take(many('a', 3), new Map([['a', 503]]), NOBODY, 1_000);
  assert.deepEqual(
    later.notes.map(({ hit: shown, leftOut }) => [shown?.operation, leftOut]),
    [
      ['write', 0],
      [undefined, 492],
    ],
  );
  assert.equal(later.isMore, false);
});

test('at its end the last are counted at once; each hit is told of exactly once', () => {
  const hits = new DiskHits();
  let told = 0;
  let total = 0;
  for (let ms = 0; ms < 20_000; ms += 250) {
    const now = (ms * 7) % 60;
    // Some come after the count that has them.
    const shown = many('a', Math.max(0, now - 3));
    total += now;
    const ended = new Set(ms === 19_750 ? ['a'] : []);
    const { notes } = hits.take(shown, new Map([['a', total]]), ended, ms);
    for (const note of notes) told += note.leftOut + (note.hit === undefined ? 0 : 1);
  }
  assert.equal(told, total);
});

test('faults are told apart, and what no count knows of yet is not told of', () => {
  const hits = new DiskHits();
  const { notes } = hits.take(
    [...many('a', 2), ...many('b', 1)],
    new Map([
      ['a', 2],
      ['b', 0],
    ]),
    NOBODY,
    0,
  );
  assert.deepEqual(
    notes.map(({ token }) => token),
    ['a', 'a'],
  );
});

test('in words', () => {
  const fault = { id: 'bad-disk', kind: 'disk.error' };
  const one = hitEvent(fault, { token: 'a', hit: hit('a'), leftOut: 0 });
  assert.equal(one.message, "disk.error 'bad-disk' has hit write of 'orders-0/a.log': EIO");
  const data = { operation: 'write', path: 'orders-0/a.log', errno: 'EIO', leftOut: 0 };
  assert.deepEqual(one.data, data);
  const rest = hitEvent(fault, { token: 'a', leftOut: 7 });
  assert.deepEqual(rest, {
    type: 'fault.hit',
    fault: 'bad-disk',
    message: "disk.error 'bad-disk' has hit 7 more requests",
    data: { leftOut: 7 },
  });
});
