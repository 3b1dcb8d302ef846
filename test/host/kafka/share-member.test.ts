import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRequestBody } from '../../../src/core/codec/kafka/frame.ts';
import { ShareMember } from '../../../src/host/kafka/share-member.ts';
import { ID, StubGroup } from '../../support/stub-group.ts';
import { until } from '../../support/until.ts';

const SHARE_HEARTBEAT = 76;
const SHARE_FETCH = 78;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const NO_ID = '0'.repeat(32);

test('a topic that is missing, or has no leader in part, is no hindrance to the rest', async () => {
  const asked: unknown[] = [];
  const missing = {
    errorCode: UNKNOWN_TOPIC_OR_PARTITION,
    name: 'gone',
    topicId: NO_ID,
    partitions: [],
  };
  const assignment = { topicPartitions: [{ topicId: ID, partitions: [0, 1] }] };
  const group = await StubGroup.start(
    missing,
    { [SHARE_HEARTBEAT]: { errorCode: 0, memberEpoch: 1, heartbeatIntervalMs: 50, assignment } },
    ({ head, frame }) => {
      if (head.apiKey === SHARE_FETCH) asked.push(readRequestBody(frame, head)?.['topics']);
    },
  );
  const settings = { group: 'g', topics: ['gone', 'here'] };
  const limits = { maxWaitMs: 10, minBytes: 1, maxBytes: 1_000, maxRecords: 10 };
  const observer = { take: () => true, fetched: () => 0 };
  const member = new ShareMember(group.connections, { ...settings, ...limits }, observer);
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
    await group.close();
    await running;
  }
});
