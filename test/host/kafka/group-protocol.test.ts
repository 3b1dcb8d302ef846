import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assignRanges,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/host/kafka/group-protocol.ts';

// The bytes that ConsumerProtocol of kafka-clients writes for version 0.
test('subscriptions and assignments are in the bytes of the protocol', () => {
  const subscription = encodeSubscription(['a', 'bc']);
  assert.equal(subscription.toString('hex'), '00000000000200016100026263ffffffff');
  assert.deepEqual(decodeSubscription(subscription), ['a', 'bc']);
  const places = [
    { topic: 'a', topicPartition: 0 },
    { topic: 'a', topicPartition: 2 },
    { topic: 'b', topicPartition: 1 },
  ];
  const assignment = encodeAssignment(places);
  const hex = '0000000000020001610000000200000000000000020001620000000100000001ffffffff';
  assert.equal(assignment.toString('hex'), hex);
  assert.deepEqual(decodeAssignment(assignment), places);
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), []);
});

test('a later version of a subscription is read as far as it is known', () => {
  const later = Buffer.concat([
    Buffer.from('0003', 'hex'),
    encodeSubscription(['a']).subarray(2),
    Buffer.from('0000000000000001ffff', 'hex'),
  ]);
  assert.deepEqual(decodeSubscription(later), ['a']);
});

test('ranges: the first members of a topic get one more where it does not come out even', () => {
  const members = [
    { memberId: 'm2', topics: ['a', 'b'] },
    { memberId: 'm1', topics: ['a'] },
    { memberId: 'm3', topics: ['b'] },
  ];
  const assigned = assignRanges(
    members,
    new Map([
      ['a', 3],
      ['b', 1],
    ]),
  );
  const numbers = [...assigned].map(([member, places]) => [
    member,
    places.map(({ topic, topicPartition }) => `${topic}${topicPartition}`).join(' '),
  ]);
  assert.deepEqual(Object.fromEntries(numbers), { m1: 'a0 a1', m2: 'a2 b0', m3: '' });
});
