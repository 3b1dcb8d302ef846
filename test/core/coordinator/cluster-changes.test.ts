import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { changeBetween, describeChange } from '../../../src/core/coordinator/cluster-changes.ts';
import type { ClusterSnapshot } from '../../../src/core/model/topology.ts';

function snapshot(
  ids: number[],
  activeController: number,
  states: [leader: number, isr: number[]][],
): ClusterSnapshot {
  return {
    takenAtMs: 0,
    brokers: ids.map((id) => ({ id, host: `b${id}`, port: 9092 })),
    topicPartitions: states.map(([leader, isr], partition) => ({
      topic: 'orders',
      partition,
      leader,
      leaderEpoch: 0,
      replicas: [1, 2, 3],
      isr,
    })),
    activeController,
    voters: [1, 2, 3],
  };
}

const says = (before: ClusterSnapshot, after: ClusterSnapshot): string => {
  const change = changeBetween(before, after);
  return change === undefined ? '' : describeChange(change);
};

suite('what changes in a cluster', () => {
  const calm = snapshot([1, 2, 3], 1, [[1, [1, 2, 3]]]);

  test('nothing, also where only the order or the time is another', () => {
    assert.equal(says(calm, { ...snapshot([3, 2, 1], 1, [[1, [3, 1, 2]]]), takenAtMs: 500 }), '');
  });

  test('a broker dies that led and was the active controller', () => {
    assert.equal(
      says(calm, snapshot([2, 3], 2, [[2, [2, 3]]])),
      'active controller: 1, now 2; brokers gone: 1; leader of orders-0: 1, now 2; ISR of orders-0: 1 2 3, now 2 3',
    );
    assert.equal(says(snapshot([2, 3], 2, []), snapshot([1, 2, 3], 2, [])), 'brokers back: 1');
    assert.equal(
      says(calm, snapshot([1, 2, 3], -1, [[-1, [1]]])).split(';')[0],
      'active controller: 1, now nobody',
    );
  });

  test('of many topic-partitions the first are named and all are counted', () => {
    const many = (leader: number): ClusterSnapshot =>
      snapshot(
        [1, 2, 3],
        1,
        Array.from({ length: 30 }, () => [leader, [1, 2, 3]]),
      );
    const change = changeBetween(many(1), many(2));
    assert.equal(change?.leaders.length, 20);
    assert.equal(change.leadersMoved, 30);
    assert.match(describeChange(change), /leader of orders-0: 1, now 2 \(and of 29 more\)/);
  });

  test('a new topic is no change of a leader', () => {
    assert.equal(says(snapshot([1], 1, []), snapshot([1], 1, [[1, [1]]])), '');
  });
});
