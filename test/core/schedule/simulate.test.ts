import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schedule } from '../../../src/core/model/scenario.ts';
import { simulate } from '../../../src/core/schedule/simulate.ts';

const schedule: Schedule = {
  version: '1',
  scenario: 's',
  seed: '1',
  durationMs: 100,
  kinds: [],
  faults: [
    { id: 'a', atMs: 10, kind: 'noop', params: {}, durationMs: 20 },
    { id: 'b', atMs: 20, kind: 'cpu.load', params: {}, durationMs: 30 },
    { id: 'c', atMs: 50, kind: 'noop', params: {}, durationMs: 10 },
    { id: 'd', atMs: 80, kind: 'process.kill', params: {} },
  ],
};

test('what stands when, how much of it, and how long nothing does', () => {
  const { stretches, most, quietMs, counts } = simulate(schedule);
  assert.deepEqual(
    stretches.map(({ fromMs, toMs, standing }) => `${fromMs}-${toMs} ${standing.join('')}`),
    ['0-10 ', '10-20 a', '20-30 ab', '30-50 b', '50-60 c', '60-80 ', '80-100 '],
  );
  // b ends in the instant in which c begins: they never stand together.
  assert.equal(most, 2);
  assert.equal(quietMs, 50);
  assert.deepEqual(counts, { noop: 2, 'cpu.load': 1, 'process.kill': 1 });
});
