import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { murmur2, placeOfKey } from '../../../src/core/workloads/murmur2.ts';
import {
  flushRule,
  paceOf,
  steadyPace,
  transactionRule,
} from '../../../src/core/workloads/pace.ts';

test('a window gets as many as it may have, and no more before the next', () => {
  const pace = steadyPace(50);
  assert.equal(pace.room(1_000), 5);
  pace.take(3);
  assert.equal(pace.room(1_099), 2);
  pace.take(2);
  assert.equal(pace.room(1_099.5), 0);
  assert.equal(pace.waitMs(1_099.5), 0.5);
  assert.equal(pace.room(1_100), 5, 'what was not used is not kept');
  assert.equal(steadyPace(1).room(0), 1, 'at least one a tenth of a second');
  assert.equal(steadyPace(0).room(0), Number.POSITIVE_INFINITY);
});

test('a throughput that varies is the same for a seed, and near its average', () => {
  const spec = {
    type: 'gaussian' as const,
    messagesPerWindowAverage: 1_000,
    messagesPerWindowDeviation: 100,
    windowsUntilRateChange: 2,
    windowSizeMs: 10,
  };
  const rooms = (): number[] => {
    const pace = paceOf(spec, new Random(7));
    return Array.from({ length: 400 }, (_, window) => pace.room(window * 10));
  };
  const drawn = rooms();
  assert.deepEqual(rooms(), drawn);
  assert.ok(drawn.every((room, window) => window % 2 === 0 || room === drawn[window - 1]));
  const average = drawn.reduce((sum, room) => sum + room, 0) / drawn.length;
  assert.ok(Math.abs(average - 1_000) < 30, `${average}`);
  assert.ok(new Set(drawn).size > 100);
});

test('flushes come after as many records as were asked for', () => {
  const rule = flushRule({ type: 'constant', messagesPerFlush: 3 }, new Random(1));
  const said = Array.from({ length: 7 }, () => rule());
  assert.deepEqual(said, [false, false, true, false, false, true, false]);
  assert.equal(flushRule(undefined, new Random(1))(), false);
});

test('transactions of so many records, or of so much time', () => {
  const rule = transactionRule({ type: 'uniform', messagesPerTransaction: 2 });
  const said: string[] = [];
  for (let record = 0; record < 5; record++) {
    for (let next = rule(0); next !== undefined; next = rule(0)) said.push(next);
    said.push('record');
  }
  const pair = ['begin', 'record', 'record', 'commit'];
  assert.deepEqual(said, [...pair, ...pair, 'begin', 'record']);
  const timed = transactionRule({ type: 'interval', transactionIntervalMs: 100 });
  const at = [0, 50, 99, 100, 100].map((nowMs) => timed(nowMs));
  assert.deepEqual(at, ['begin', undefined, undefined, 'commit', 'begin']);
});

// From kafka-clients 4.1.0, org.apache.kafka.common.utils.Utils.murmur2.
test("a key goes where Kafka's own clients put it", () => {
  const hashes: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ];
  for (const [key, hash] of hashes) assert.equal(murmur2(new TextEncoder().encode(key)), hash, key);
  assert.equal(placeOfKey(new TextEncoder().encode('abc'), 7), 479470107 % 7);
});
