import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadCounts } from '../../../src/host/workload/bench/read-counts.ts';
import { until } from '../../support/until.ts';

const RECORD = { key: null, value: Buffer.from('x') };

function readAll(perSecond: number): ReadCounts {
  const counts = new ReadCounts({ perSecond, maxMessages: 200 });
  for (let count = 0; count < 200; count++) assert.equal(counts.take(RECORD), true);
  assert.equal(counts.take(RECORD), false, 'one too many');
  return counts;
}

test('what came in one fetch takes the time that its rate gives it', async () => {
  // Two seconds' worth, of which a second at most may have passed already: it waits however slow this machine is.
  const counts = readAll(100);
  assert.ok(counts.polled(200, 1) > 0);
  assert.equal(counts.enough.aborted, false, 'its time is not over');
  await until('its time is over', () => counts.enough.aborted);
});

test('without a rate, enough is enough at once', () => {
  const counts = readAll(0);
  assert.equal(counts.polled(200, 1), 0);
  assert.equal(counts.enough.aborted, true);
});
