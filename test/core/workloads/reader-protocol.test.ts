import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readerProtocol } from '../../../src/core/workloads/bench/reader-protocol.ts';

const read = (consumerConf: Record<string, string>, commonClientConf = {}) =>
  readerProtocol({ commonClientConf, consumerConf });

test('the protocol is the classic one unless the spec says otherwise, in any case of letters', () => {
  const classic = { ok: true, value: { protocol: 'classic', assignor: null } };
  assert.deepEqual(read({}), classic);
  assert.deepEqual(read({ 'group.protocol': 'CLASSIC', 'session.timeout.ms': '9' }), classic);
  const consumer = { ok: true, value: { protocol: 'consumer', assignor: 'range' } };
  const conf = { 'group.protocol': 'Consumer', 'group.remote.assignor': 'range' };
  assert.deepEqual(read(conf), consumer);
  // What is blank was not said; the consumer's own configuration wins over the common one.
  assert.deepEqual(
    read({ 'group.protocol': 'classic', 'group.remote.assignor': '' }, conf),
    classic,
  );
});

test('what KafkaConsumer refuses beside a protocol is refused, all at once', () => {
  const found = read(
    { 'group.protocol': 'consumer', 'session.timeout.ms': '9', 'heartbeat.interval.ms': '3' },
    { 'partition.assignment.strategy': 'range' },
  );
  assert.deepEqual(found.ok ? [] : found.problems.map(({ path }) => path), [
    '/consumerConf/heartbeat.interval.ms',
    '/commonClientConf/partition.assignment.strategy',
    '/consumerConf/session.timeout.ms',
  ]);
  const refused: Record<string, string>[] = [
    { 'group.remote.assignor': 'range' },
    { 'group.protocol': 'share' },
  ];
  for (const conf of refused) assert.equal(read(conf).ok, false, JSON.stringify(conf));
});
