import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientConf } from '../../../src/host/workload/bench/client-conf.ts';
import { ConsumerThread } from '../../../src/host/workload/bench/consumer-thread.ts';
import { ReadCounts } from '../../../src/host/workload/bench/read-counts.ts';
import { readerSettings } from '../../../src/host/workload/bench/reader-conf.ts';

const PLACES = [0, 1].map((topicPartition) => ({ topic: 'a', topicPartition, position: 5 }));

test('a status says what a reader has, also when it has ended, but not what was taken from it', async () => {
  // Nobody listens there.
  const conf = new ClientConf('127.0.0.1:9', {});
  const counts = new ReadCounts({ perSecond: 0, maxMessages: 1 });
  const thread = new ConsumerThread('c', conf, readerSettings(conf), counts);
  const assigned = (): unknown => (thread.status as Record<string, unknown>)['assignedPartitions'];
  assert.deepEqual(assigned(), []);
  thread.read(PLACES);
  assert.deepEqual(assigned(), ['a-0', 'a-1']);
  assert.deepEqual(await thread.revoke(), PLACES);
  assert.deepEqual(assigned(), []);
  thread.read(PLACES.slice(1));
  assert.deepEqual(await thread.stop(), PLACES.slice(1));
  assert.deepEqual(assigned(), ['a-1']);
});
