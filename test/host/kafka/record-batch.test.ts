import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reader, readRecordsBatches } from '@platformatic/kafka';
import { committedBatches } from '../../../src/host/kafka/aborted.ts';
import { parseBootstrap } from '../../../src/host/kafka/cluster-connections.ts';
import {
  decodeBatches,
  encodeBatch,
  type ReadBatch,
} from '../../../src/host/kafka/record-batch.ts';
import { securityOptions } from '../../../src/host/kafka/security.ts';

const RECORDS = Array.from({ length: 300 }, (_, index) => ({
  value: Buffer.from(`value ${index}`.padEnd(20 + index, '.')),
  timestampMs: 1_795_000_000_000 + index * 7,
}));
const IDENTITY = { producerId: 5_000_000_001, producerEpoch: 3, baseSequence: 77 };

test('a batch reads back, in our decoder and in the library', () => {
  const bytes = encodeBatch(RECORDS, IDENTITY);
  const [batch] = decodeBatches(bytes);
  assert.ok(batch);
  assert.equal(batch.crcActual, batch.crcExpected);
  const { producerId, producerEpoch, baseSequence } = batch;
  assert.deepEqual({ producerId, producerEpoch, baseSequence }, IDENTITY);
  assert.equal(batch.lastOffset, 299);
  assert.deepEqual(
    batch.records.map(({ value }) => value),
    RECORDS.map(({ value }) => value),
  );
  const [theirs] = readRecordsBatches(Reader.from(bytes));
  assert.equal(theirs?.records.length, 300);
  assert.equal(theirs?.producerId, 5_000_000_001n);
  assert.deepEqual(theirs?.records[299]?.value, RECORDS[299]?.value);
  assert.equal(theirs?.records[299]?.timestampDelta, 299n * 7n);
});

test('one changed bit is seen by the CRC; a partial batch at the end is left out', () => {
  const bytes = encodeBatch(RECORDS, IDENTITY);
  const damaged = Buffer.from(bytes);
  damaged[500] = (damaged[500] as number) ^ 4;
  const [batch] = decodeBatches(damaged);
  assert.notEqual(batch?.crcActual, batch?.crcExpected);
  assert.equal(decodeBatches(Buffer.concat([bytes, bytes.subarray(0, 400)])).length, 1);
  assert.equal(decodeBatches(Buffer.concat([bytes, bytes])).length, 2);
});

test('a marker whose key is cut short by damage is a finding, not a crash', () => {
  const record = { key: Buffer.from('k'), value: Buffer.from('v'), timestampMs: 0 };
  const bytes = encodeBatch([record], IDENTITY);
  bytes.writeInt16BE(0x30, 21);
  assert.equal(decodeBatches(bytes)[0]?.marker, 'other');
});

function batch(offset: number, producerId: number, marker?: 'abort' | 'commit'): ReadBatch {
  const base = { baseOffset: offset, lastOffset: offset, leaderEpoch: 0, producerEpoch: 0 };
  const rest = { baseSequence: 0, crcExpected: 0, crcActual: 0, records: [], producerId };
  const read: ReadBatch = { ...base, ...rest, transactional: true, control: marker !== undefined };
  return marker === undefined ? read : { ...read, marker };
}

test('read_committed: all aborted ranges of one producer are filtered, not only the last', () => {
  const log = [
    batch(0, 1),
    batch(1, 1, 'abort'),
    batch(2, 1),
    batch(3, 1, 'commit'),
    batch(4, 1),
    batch(5, 2),
    batch(6, 1, 'abort'),
    batch(7, 2, 'commit'),
    batch(8, 1),
    batch(9, 1, 'abort'),
    batch(10, 1),
    batch(11, 1, 'commit'),
  ];
  const aborted = [8, 0, 4].map((firstOffset) => ({ producerId: 1, firstOffset }));
  const offsets = committedBatches(log, aborted).map(({ baseOffset }) => baseOffset);
  assert.deepEqual(offsets, [2, 5, 10]);
});

test('bootstrap servers and client properties: all problems at once, secrets not quoted', () => {
  assert.deepEqual(parseBootstrap('a:1, [::1]:9092'), [
    { host: 'a', port: 1 },
    { host: '::1', port: 9092 },
  ]);
  assert.throws(() => parseBootstrap('a'), /not host:port/);
  const bad = securityOptions({
    'security.protocl': 'SSL',
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'GSSAPI',
    'ssl.truststore.location': '/nowhere/ca.pem',
    'ssl.truststore.type': 'PEM',
  });
  assert.ok(!bad.ok);
  const paths = bad.problems.map(({ path }) => path).sort();
  const expected = ['/sasl.mechanism', '/security.protocl', '/ssl.truststore.location'];
  assert.deepEqual(paths, expected);
  assert.equal(
    bad.problems.find(({ path }) => path.endsWith('protocl'))?.nearMiss,
    'security.protocol',
  );
  const secret = 'Module required password=tiger';
  const jaas = securityOptions({
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': secret,
  });
  assert.ok(!jaas.ok && !JSON.stringify(jaas.problems).includes('tiger'));
});

test('a JAAS line becomes user name and password', () => {
  const login = 'org.apache.kafka.common.security.scram.ScramLoginModule required';
  const options = securityOptions({
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.jaas.config': `${login} username="ann" password="a\\"b; c=d";`,
  });
  assert.ok(options.ok);
  const { mechanism, username, password } = options.value.sasl ?? {};
  assert.deepEqual([mechanism, username, password], ['SCRAM-SHA-512', 'ann', 'a"b; c=d']);
  const plain = securityOptions({});
  assert.deepEqual(plain.ok ? plain.value : undefined, {});
});
