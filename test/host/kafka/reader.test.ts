import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeResponse } from '../../../src/core/codec/kafka/frame.ts';
import { checkHistory } from '../../../src/core/checkers/engine/check.ts';
import { CHECKERS } from '../../../src/core/checkers/registry.ts';
import { ClusterConnections } from '../../../src/host/kafka/cluster-connections.ts';
import { Reader, type PolledBatches } from '../../../src/host/kafka/reader.ts';
import { encodeBatch } from '../../../src/host/kafka/record-batch.ts';
import { recordPoll } from '../../../src/host/workload/poll-record.ts';
import { HistoryWriter } from '../../support/histories.ts';
import { StubBroker, type StubRequest } from '../../support/stub-broker.ts';
import { until } from '../../support/until.ts';

const FETCH = 1;
const METADATA = 3;
const IDENTITY = { producerId: -1, producerEpoch: -1, baseSequence: -1 };

function batch(change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = encodeBatch([{ value: Buffer.from('v'), timestampMs: 0 }], IDENTITY);
  change(bytes);
  return bytes;
}

/** A broker that leads topic-partitions of `t` and answers every fetch with these bytes, by number. */
function leader(port: number, logs: readonly Buffer[]) {
  const host = '127.0.0.1';
  const partition = (partitionIndex: number) => {
    const nodes = { replicaNodes: [1], isrNodes: [1] };
    return { errorCode: 0, partitionIndex, leaderId: 1, leaderEpoch: 0, ...nodes };
  };
  const fetched = (records: Buffer, partitionIndex: number) => {
    const marks = { highWatermark: 9n, lastStableOffset: 9n, logStartOffset: 0n };
    return { partitionIndex, errorCode: 0, ...marks, abortedTransactions: [], records };
  };
  return ({ head }: StubRequest): Buffer | null => {
    if (head.apiKey === METADATA) {
      const topic = { errorCode: 0, name: 't', partitions: logs.map((_, at) => partition(at)) };
      const brokers = [{ nodeId: 1, host, port }];
      return Buffer.from(writeResponse(head, { brokers, topics: [topic] }));
    }
    if (head.apiKey !== FETCH) return null;
    const responses = [{ topic: 't', partitions: logs.map(fetched) }];
    return Buffer.from(writeResponse(head, { errorCode: 0, responses }));
  };
}

/** What a reader of these logs tells, until it has told of so many fetches of each. */
async function read(logs: readonly Buffer[], isolation: { readCommitted: boolean }, fetches = 4) {
  const stub = new StubBroker();
  const port = await stub.listen();
  stub.answer = leader(port, logs);
  const settings = { clientId: 'c', connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 };
  const connections = new ClusterConnections([{ host: '127.0.0.1', port }], {
    ...settings,
    security: {},
  });
  const places = logs.map((_, topicPartition) => ({ topic: 't', topicPartition, position: 0 }));
  const polls: PolledBatches[] = [];
  const failed: string[] = [];
  const reader = new Reader(
    connections,
    places,
    { ...isolation, minBytes: 1, maxWaitMs: 10, backoffMs: 20 },
    {
      polled: (polled) => polls.push({ ...polled, place: { ...polled.place } }),
      pollFailed: ({ topicPartition }, _, error) => failed.push(`${topicPartition} ${error}`),
      sought: () => undefined,
    },
  );
  reader.start();
  try {
    await until('it has asked', () => reader.answers >= fetches);
  } finally {
    await reader.close();
    await stub.close();
  }
  return { polls, failed, places: reader.places };
}

const DAMAGED = [
  [/batchLength is 20, less/, (bytes: Buffer) => void bytes.writeInt32BE(20, 8)],
  [/batchLength is 999, and \d+ bytes follow/, (bytes: Buffer) => void bytes.writeInt32BE(999, 8)],
  [/magic is 6/, (bytes: Buffer) => void bytes.writeUInt8(6, 16)],
] as const;

for (const [says, change] of DAMAGED)
  test(`bytes that are no batch (${says.source}) are told once, and asked for with pauses`, async () => {
    const { polls, places } = await read([batch(change)], { readCommitted: false });
    assert.ok((places[0]?.pausedUntilMs ?? 0) > 0, 'it waits between fetches');
    assert.equal(polls.length, 1);
    assert.match(polls[0]?.damage ?? '', says);
    assert.match(places[0]?.stuck?.why ?? '', says);
    const polled = recordPoll(polls[0] as PolledBatches, 0, { run: 'r' } as never);
    const history = new HistoryWriter().send('ok', 0, 0);
    history.add({ type: 'ok', f: 'poll', process: 1, startedNs: 0, value: polled });
    const { anomalies } = checkHistory(CHECKERS, history.entries);
    assert.deepEqual(
      anomalies.map(({ kind }) => kind),
      ['corruptBatch'],
    );
    assert.match(anomalies[0]?.examples[0]?.says ?? '', says);
  });

test('a topic-partition that cannot be read is no hindrance to the others of its broker', async () => {
  const old = batch((bytes) => void bytes.writeUInt8(1, 16));
  const { polls, failed } = await read([old, batch()], { readCommitted: false });
  assert.deepEqual([...new Set(failed)], ['0 record-batch-magic']);
  assert.deepEqual(
    polls[0]?.batches.map(({ records }) => records.length),
    [1],
  );
  assert.equal(polls[0]?.place.topicPartition, 1);
});

for (const readCommitted of [false, true])
  test(`a control batch whose CRC fails is told, its records are not (${readCommitted})`, async () => {
    const control = (bytes: Buffer) => void bytes.writeInt16BE(0x20, 21);
    const { polls } = await read([batch(control)], { readCommitted }, 1);
    assert.deepEqual(
      polls[0]?.batches.map(({ records }) => records),
      [[]],
    );
    const { corrupt, strange } = recordPoll(polls[0], 0, { run: 'r' } as never);
    assert.equal(corrupt?.length, 1);
    assert.equal(strange, undefined);
  });
