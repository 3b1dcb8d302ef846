import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeResponse } from '../../../src/core/codec/kafka/frame.ts';
import { ControllerWatch } from '../../../src/host/workload/controller-watch.ts';
import type { NewEntry, Recorder } from '../../../src/host/workload/recorder.ts';
import { StubBroker } from '../../support/stub-broker.ts';
import { until } from '../../support/until.ts';

const DESCRIBE_QUORUM = 55;
const NOT_LEADER = 6;

test('every controller is asked itself, and only answers are recorded', async () => {
  const stubs = [new StubBroker(), new StubBroker(), new StubBroker()];
  const ports = await Promise.all(stubs.map((stub) => stub.listen()));
  for (const [index, stub] of stubs.entries()) {
    stub.answer = ({ head }) => {
      if (head.apiKey !== DESCRIBE_QUORUM) return null;
      // The last is a follower: it says so, and nothing else.
      const told = { leaderId: index + 1, leaderEpoch: 7 + index };
      const state = { partitionIndex: 0, ...(index === 2 ? { errorCode: NOT_LEADER } : told) };
      const topics = [{ topicName: '__cluster_metadata', partitions: [state] }];
      return Buffer.from(writeResponse(head, { topics }));
    };
  }
  const entries: NewEntry[] = [];
  const recorder = { add: (entry: NewEntry) => entries.push(entry) } as unknown as Recorder;
  const kafka = { bootstrap: '127.0.0.1:1' };
  const controllers = [...ports, 1].map((port, index) => ({
    node: `k${index + 1}`,
    id: index + 1,
    host: '127.0.0.1',
    port,
  }));
  const watch = new ControllerWatch({ kind: 'log', run: 'r', kafka, controllers }, recorder, 5);
  watch.start();
  try {
    await until('six answers', () => entries.length >= 6);
    const said = entries.map((entry) =>
      entry.f === 'controller' ? `${entry.node} ${entry.id} ${entry.leader} ${entry.epoch}` : '',
    );
    assert.deepEqual([...new Set(said)].sort(), ['k1 1 1 7', 'k2 2 2 8', 'k3 3 -1 -1']);
    assert.ok(entries.every(({ process }) => process === 5));
    assert.deepEqual(
      stubs.map(({ connections }) => connections),
      [1, 1, 1],
    );
  } finally {
    watch.stop();
    for (const stub of stubs) await stub.close();
  }
});
