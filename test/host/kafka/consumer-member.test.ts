import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConsumerMember } from '../../../src/host/kafka/consumer-member.ts';
import type { GroupPositions } from '../../../src/host/kafka/group-member.ts';
import { ID, StubGroup } from '../../support/stub-group.ts';
import { until } from '../../support/until.ts';

const OFFSET_FETCH = 9;
const API_VERSIONS = 18;
const HEARTBEAT = 68;
const UNKNOWN_TOPIC_ID = 100;
const OTHER_ID = '0000000000004000800000000000000b';

test('a topic without a leader in part, or unknown, is no hindrance to the rest', async () => {
  const unknown = {
    errorCode: UNKNOWN_TOPIC_ID,
    name: null,
    topicId: OTHER_ID,
    partitions: [],
  };
  const assignment = {
    topicPartitions: [
      { topicId: ID, partitions: [0, 1] },
      { topicId: OTHER_ID, partitions: [0] },
    ],
  };
  const spoken = { apiKey: HEARTBEAT, minVersion: 0, maxVersion: 0 };
  const group = await StubGroup.start(unknown, {
    [API_VERSIONS]: { errorCode: 0, apiKeys: [spoken] },
    [HEARTBEAT]: { errorCode: 0, memberEpoch: 1, heartbeatIntervalMs: 50, assignment },
    [OFFSET_FETCH]: { groups: [{ groupId: 'g', topics: [], errorCode: 0 }] },
  });
  const assigned: GroupPositions[][] = [];
  const reader = {
    assigned: (places: GroupPositions[]) => Promise.resolve(void assigned.push(places)),
    positions: () => [],
    revoked: () => Promise.resolve([]),
  };
  const limits = { assignor: null, rebalanceMs: 1_000, commitMs: 0 };
  const settings = { group: 'g', topics: ['here'], ...limits };
  const member = new ConsumerMember(group.connections, settings, reader);
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
    await group.close();
    await running;
  }
});
