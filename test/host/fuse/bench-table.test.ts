import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DiskResults } from '../../../bench/disk/results.ts';
import { diskTables } from '../../../bench/disk/table.ts';

const ROUNDS = 12;

/** Rounds of two rivals whose figures wander together: only the ratio within a round is steady. */
function measured(row: string, ours: number, theirs: number, wobble = 0): DiskResults {
  const rounds = Array.from({ length: ROUNDS }, (_, index) => index);
  const at = (value: number, index: number): number =>
    value * (1 + index) * (1 + (index % 2 === 0 ? wobble : -wobble));
  const rows = {
    faultline: rounds.map((index) => ({ [row]: at(ours, index) })),
    kibosh: rounds.map((index) => ({ [row]: theirs * (1 + index) })),
  };
  const load = { files: rounds.map(() => 0.5) };
  const parts = { files: { under: '/dev/shm', rows } };
  return { at: '2026-01-01T00:00:00.000Z', rounds: ROUNDS, seed: 1, load, parts };
}

function lastLine(results: DiskResults): string {
  return diskTables(results).split('\n').at(-1) ?? '';
}

describe('the tables of bench disk', () => {
  test('a goal is reached or missed where the whole interval lies on one side of it', () => {
    assert.match(lastLine(measured('create us', 7, 10)), /0\.70 \[0\.70, 0\.70\] \| reached \|$/);
    assert.match(lastLine(measured('create us', 9, 10)), /\*\*missed\*\* \|$/);
    assert.match(lastLine(measured('create us', 7.5, 10, 0.2)), /reached, not surely \|$/);
    assert.match(lastLine(measured('write 64K MiB/s', 12, 10)), /1\.20 .* reached \|$/);
    assert.match(lastLine(measured('read cached MiB/s', 20, 10)), /\*\*missed\*\* \|$/);
  });

  test('medians, shares and rounds stand in the table', () => {
    const text = diskTables(measured('create us', 5, 10));
    assert.match(text, /12 rounds at load 0\.5 to 0\.5/);
    assert.match(text, /\| create us \| 32\.5 \| 65\.0 \(0\.50 \[0\.50, 0\.50\]\) \|/);
  });

  test('CPU that nobody spent has no ratio and no verdict', () => {
    const text = diskTables(measured('read cached CPU us/op', 0, 0));
    assert.match(text, /\| read cached CPU us\/op \| 0\.00 \| {2}\|/);
    assert.match(lastLine(measured('read cached CPU us/op', 0, 0)), /^\| --- /);
  });
});
