import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRequestBody, writeResponse } from '../../../src/core/codec/kafka/frame.ts';
import type { Struct } from '../../../src/core/codec/kafka/value.ts';
import { ClusterConnections } from '../../../src/host/kafka/cluster-connections.ts';
import { ShareMember } from '../../../src/host/kafka/share-member.ts';
import { StubBroker } from '../../support/stub-broker.ts';
import { until } from '../../support/until.ts';

const METADATA = 3;
const FIND_COORDINATOR = 10;
const SHARE_HEARTBEAT = 76;
const SHARE_FETCH = 78;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const LEADER_NOT_AVAILABLE = 5;
const ID = '0000000000004000800000000000000a';
const NO_ID = '0'.repeat(32);

/** One broker; of its topics one is missing, and of the other one topic-partition has no leader. */
function answers(port: number): Record<number, Struct> {
  const broker = { nodeId: 1, host: '127.0.0.1', port };
  const nodes = { leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] };
  const partitions = [
    { errorCode: 0, partitionIndex: 0, leaderId: 1, ...nodes },
    { errorCode: LEADER_NOT_AVAILABLE, partitionIndex: 1, leaderId: -1, ...nodes },
  ];
  const topics = [
    { errorCode: UNKNOWN_TOPIC_OR_PARTITION, name: 'gone', topicId: NO_ID, partitions: [] },
    { errorCode: 0, name: 'here', topicId: ID, partitions },
  ];
  const assignment = { topicPartitions: [{ topicId: ID, partitions: [0, 1] }] };
  return {
    [METADATA]: { brokers: [broker], topics },
    [FIND_COORDINATOR]: { coordinators: [{ key: 'g', ...broker, errorCode: 0 }] },
    [SHARE_HEARTBEAT]: { errorCode: 0, memberEpoch: 1, heartbeatIntervalMs: 50, assignment },
  };
}

test('a topic that is missing, or has no leader in part, is no hindrance to the rest', async () => {
  const stub = new StubBroker();
  const port = await stub.listen();
  const asked: unknown[] = [];
  stub.answer = ({ head, frame }) => {
    if (head.apiKey === SHARE_FETCH) asked.push(readRequestBody(frame, head)?.['topics']);
    const answer = answers(port)[head.apiKey];
    return answer === undefined ? null : Buffer.from(writeResponse(head, answer));
  };
  const connections = new ClusterConnections([{ host: '127.0.0.1', port }], {
    clientId: 'c',
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    security: {},
  });
  const settings = { group: 'g', topics: ['gone', 'here'] };
  const limits = { maxWaitMs: 10, minBytes: 1, maxBytes: 1_000, maxRecords: 10 };
  const observer = { take: () => true, fetched: () => 0 };
  const member = new ShareMember(connections, { ...settings, ...limits }, observer);
  const end = new AbortController();
  const running = member.run(end.signal);
  try {
    await until('it fetches', () => asked.length > 0);
    const [topic] = asked[0] as { topicId: string; partitions: { partitionIndex: number }[] }[];
    assert.equal(topic?.topicId, ID);
    assert.deepEqual(
      topic?.partitions.map(({ partitionIndex }) => partitionIndex),
      [0],
    );
    assert.ok((member.errors.get('UNKNOWN_TOPIC_OR_PARTITION') ?? 0) > 0, 'and it is told');
  } finally {
    end.abort();
    connections.close();
    await stub.close();
    await running;
  }
});
