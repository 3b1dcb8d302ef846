import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CHECKERS } from '../../../src/core/checkers/registry.ts';
import { checkHistory } from '../../../src/core/checkers/engine/check.ts';
import { HistoryWriter } from '../../support/histories.ts';

/** One answer: at which second, by whom, whom it takes for the active one, in which epoch. */
type Said = [seconds: number, node: 'k1' | 'k2', leader: -1 | 1 | 2, epoch: number];

function found(said: readonly Said[], controllers = ['k1', 'k2']): string[] {
  const history = new HistoryWriter({ controllers });
  for (const [seconds, node, leader, epoch] of said) {
    history.at(seconds * 1_000);
    const answer = { startedNs: history.nowNs, node, id: Number(node[1]), leader, epoch };
    history.add({ type: 'ok', f: 'controller', process: 2, ...answer });
  }
  const { anomalies, checks } = checkHistory(CHECKERS, history.entries);
  return [...anomalies.map(({ kind }) => kind), checks['controllers']?.verdict ?? ''];
}

/** Answers of a controller that takes itself for the active one, once a second, `to` included. */
const claims = (node: 'k1' | 'k2', epoch: number, from: number, to: number): Said[] =>
  Array.from({ length: to - from + 1 }, (_, index) => [
    from + index,
    node,
    node === 'k1' ? 1 : 2,
    epoch,
  ]);

const inTime = (...said: Said[]): Said[] => said.toSorted((one, other) => one[0] - other[0]);

/** k1 claims epoch 1 throughout; k2 takes over in epoch 2 at `from`, and both go on until `to`. */
const both = (from: number, to: number): Said[] =>
  inTime(...claims('k1', 1, 0, to), ...claims('k2', 2, from, to));

suite('two active controllers', () => {
  test('for longer than a hand-over takes: found, and once', () => {
    const longer: Said[] = [...both(5, 16), [20, 'k1', 1, 1], [20, 'k2', 2, 2]];
    assert.deepEqual(found(longer), ['twoControllers', 'invalid']);
  });

  test('for a moment: a hand-over', () => {
    assert.deepEqual(found(both(5, 14)), ['valid']);
    // k1 says between its claims that it is none; that it became it again is no claim of the whole time.
    const between = inTime(...both(5, 16), [10, 'k1', -1, -1]);
    assert.deepEqual(found(between), ['valid']);
    assert.deepEqual(found([...both(5, 8), [9, 'k1', 2, 2], [40, 'k2', 2, 2]]), ['valid']);
  });

  test('silence proves nothing, and one that comes back to its claim anew begins anew', () => {
    // k1 was silent from 0 on: it may have resigned in between.
    assert.deepEqual(
      found([
        [0, 'k1', 1, 1],
        [5, 'k2', 2, 2],
        [60, 'k2', 2, 2],
      ]),
      ['valid'],
    );
    // Stopped from 2 s on, k1 answers what has waited for it before it finds that its time is over.
    const paused = [
      ...claims('k1', 1, 0, 2),
      ...claims('k1', 1, 20, 21),
      ...claims('k2', 2, 5, 25),
    ];
    assert.deepEqual(found(inTime(...paused)), ['valid']);
    const anew: Said[] = [
      [0, 'k1', 1, 1],
      [5, 'k2', 2, 2],
      [17, 'k2', 2, 2],
      [18, 'k1', 1, 3],
    ];
    assert.deepEqual(found(anew), ['valid']);
  });

  test('one that never answered: nobody knows of it; one that refuses has answered', () => {
    assert.deepEqual(found(claims('k1', 1, 0, 5)), ['unknown']);
    assert.deepEqual(found(inTime(...claims('k1', 1, 0, 5), [3, 'k2', -1, -1])), ['valid']);
    // What was found stays found.
    assert.deepEqual(found(both(5, 16), ['k1', 'k2', 'k3']), ['twoControllers', 'invalid']);
  });

  test('nobody answered: nobody knows; nobody was asked: nothing is claimed', () => {
    assert.deepEqual(found([]), ['unknown']);
    assert.deepEqual(found([], []), ['valid']);
  });
});
