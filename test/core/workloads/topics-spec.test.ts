import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandName, loadTopics, readTopics } from '../../../src/core/workloads/topics-spec.ts';

const partitions = {
  numPartitions: 0,
  replicationFactor: 0,
  partitionAssignments: {},
  configs: {},
};

test("names expand as Trogdor's do, every range of them", () => {
  assert.deepEqual(expandName('foo[1-3]'), { ok: true, value: ['foo1', 'foo2', 'foo3'] });
  assert.deepEqual(expandName('a[09-10]z'), { ok: true, value: ['a9z', 'a10z'] });
  assert.deepEqual(expandName('a[1-2]:[3-4]'), {
    ok: true,
    value: ['a1:3', 'a1:4', 'a2:3', 'a2:4'],
  });
  for (const plain of ['foo', 'a[1]', 'a[1-2'])
    assert.deepEqual(expandName(plain), { ok: true, value: [plain] });
  assert.equal(expandName('a[3-1]').ok, false);
  assert.equal(expandName('a[0-99999999]').ok, false);
  assert.equal(expandName('a[0-999]b[0-999]').ok, false);
});

test('topics have their defaults; replicas that are given decide how many there are', () => {
  const topics = loadTopics({
    'a[1-2]': partitions,
    a2: { ...partitions, numPartitions: 9 },
    b: { ...partitions, numPartitions: 4, partitionAssignments: { '1': [2, 3], '0': [1, 2] } },
  });
  assert.ok(topics.ok);
  assert.deepEqual(
    topics.value.map((one) => [one.name, one.topicPartitions, one.replicationFactor]),
    [
      ['a1', [0], 3],
      ['a2', [0], 3],
      ['b', [0, 1], 3],
    ],
  );
});

test('names that no topic can have are told, all of them', () => {
  const topics = loadTopics({
    'a/b': partitions,
    'c[2-1]': partitions,
    d: { ...partitions, partitionAssignments: { one: [1] } },
  });
  assert.ok(!topics.ok);
  assert.deepEqual(
    topics.problems.map(({ path }) => path),
    ['/a~1b', '/c[2-1]', '/d/partitionAssignments'],
  );
});

test('a reader is told topics or topic-partitions, each once', () => {
  const read = readTopics(['a[1-2]:[0-1]', 'b', 'a1:0']);
  assert.deepEqual(read, {
    ok: true,
    value: {
      topics: ['b'],
      topicPartitions: [
        { topic: 'a1', topicPartition: 0 },
        { topic: 'a1', topicPartition: 1 },
        { topic: 'a2', topicPartition: 0 },
        { topic: 'a2', topicPartition: 1 },
      ],
    },
  });
  const wrong = readTopics(['a:b', 'a:1:2', ':3', 'fine']);
  assert.ok(!wrong.ok);
  assert.deepEqual(
    wrong.problems.map(({ path }) => path),
    ['/0', '/1', '/2'],
  );
});
