import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeResponse } from '../../../src/core/codec/kafka/frame.ts';
import type { Struct } from '../../../src/core/codec/kafka/value.ts';
import { ClusterConnections } from '../../../src/host/kafka/cluster-connections.ts';
import { ConsumerMember } from '../../../src/host/kafka/consumer-member.ts';
import type { GroupPositions } from '../../../src/host/kafka/group-member.ts';
import { StubBroker } from '../../support/stub-broker.ts';
import { until } from '../../support/until.ts';

const METADATA = 3;
const OFFSET_FETCH = 9;
const FIND_COORDINATOR = 10;
const API_VERSIONS = 18;
const HEARTBEAT = 68;
const LEADER_NOT_AVAILABLE = 5;
const UNKNOWN_TOPIC_ID = 100;
const ID = '0000000000004000800000000000000a';
const OTHER_ID = '0000000000004000800000000000000b';

/** One broker; of the topics it gives away one has a topic-partition without leader, one is unknown. */
function answers(port: number): Record<number, Struct> {
  const broker = { nodeId: 1, host: '127.0.0.1', port };
  const nodes = { leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] };
  const partitions = [
    { errorCode: 0, partitionIndex: 0, leaderId: 1, ...nodes },
    { errorCode: LEADER_NOT_AVAILABLE, partitionIndex: 1, leaderId: -1, ...nodes },
  ];
  const topics = [
    { errorCode: 0, name: 'here', topicId: ID, partitions },
    { errorCode: UNKNOWN_TOPIC_ID, name: null, topicId: OTHER_ID, partitions: [] },
  ];
  const assignment = {
    topicPartitions: [
      { topicId: ID, partitions: [0, 1] },
      { topicId: OTHER_ID, partitions: [0] },
    ],
  };
  return {
    [API_VERSIONS]: {
      errorCode: 0,
      apiKeys: [{ apiKey: HEARTBEAT, minVersion: 0, maxVersion: 0 }],
    },
    [METADATA]: { brokers: [broker], topics },
    [FIND_COORDINATOR]: { coordinators: [{ key: 'g', ...broker, errorCode: 0 }] },
    [HEARTBEAT]: { errorCode: 0, memberEpoch: 1, heartbeatIntervalMs: 50, assignment },
    [OFFSET_FETCH]: { groups: [{ groupId: 'g', topics: [], errorCode: 0 }] },
  };
}

test('a topic without a leader in part, or unknown, is no hindrance to the rest', async () => {
  const stub = new StubBroker();
  const port = await stub.listen();
  stub.answer = ({ head }) => {
    const answer = answers(port)[head.apiKey];
    return answer === undefined ? null : Buffer.from(writeResponse(head, answer));
  };
  const connections = new ClusterConnections([{ host: '127.0.0.1', port }], {
    clientId: 'c',
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    security: {},
  });
  const assigned: GroupPositions[][] = [];
  const reader = {
    assigned: (places: GroupPositions[]) => Promise.resolve(void assigned.push(places)),
    positions: () => [],
    revoked: () => Promise.resolve([]),
  };
  const settings = {
    group: 'g',
    topics: ['here'],
    assignor: null,
    rebalanceMs: 1_000,
    commitMs: 0,
  };
  const member = new ConsumerMember(connections, settings, reader);
  const end = new AbortController();
  const running = member.run(end.signal);
  try {
    await until('it is given what there is', () => assigned.length > 0);
    assert.deepEqual(
      assigned[0]?.map(({ topic, topicPartition }) => `${topic}-${topicPartition}`),
      ['here-0', 'here-1'],
    );
    assert.deepEqual([...member.errors], []);
  } finally {
    end.abort();
    connections.close();
    await stub.close();
    await running;
  }
});
