import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { ConsumerMember } from '../../src/host/kafka/consumer-member.ts';
import { createTopic, LATEST, listOffset } from '../../src/host/kafka/admin.ts';
import { ClusterConnections, parseBootstrap } from '../../src/host/kafka/cluster-connections.ts';
import { produce } from '../../src/host/kafka/produce-request.ts';
import { Reader, type PolledBatches } from '../../src/host/kafka/reader.ts';
import { decodeBatches, encodeBatch } from '../../src/host/kafka/record-batch.ts';
import { ClusterWatch } from '../../src/host/coordinator/cluster-watch.ts';
import { ClusterView } from '../../src/host/kafka/view.ts';
import { findJava, kafkaDirectory } from '../../src/host/lab/kafka-cache.ts';
import { placeOf } from '../../src/host/lab/place.ts';
import { askInit } from '../../src/host/lab/requests.ts';
import { GivenPlaces, READ_TO, runMember } from '../support/given-places.ts';
import { withLab } from '../support/lab.ts';
import { ROOT } from '../support/needs.ts';
import { TestTransactions } from '../support/transactions.ts';
import { until } from '../support/until.ts';

function connect(bootstrap: string): ClusterConnections {
  const settings = { clientId: 'test', connectTimeoutMs: 2_000, requestTimeoutMs: 10_000 };
  return new ClusterConnections(parseBootstrap(bootstrap), { ...settings, security: {} });
}

/** Creates a topic of one topic-partition and waits for its leader. */
async function freshTopic(connections: ClusterConnections, name: string): Promise<number> {
  const config = { 'min.insync.replicas': '2' };
  await createTopic(
    connections,
    { name, topicPartitions: 1, replicationFactor: 3, config },
    10_000,
  );
  return until('a leader', async () => {
    const metadata = await connections.metadata([name]);
    const leader = metadata.topics[0]?.partitions[0]?.leaderId ?? -1;
    return leader >= 0 ? leader : undefined;
  });
}

/** Everything our reader delivers from the start to the end of topic-partition 0. */
async function readAll(bootstrap: string, topic: string, readCommitted: boolean) {
  const polls: PolledBatches[] = [];
  const place = { topic, topicPartition: 0, position: 0 };
  const polling = { minBytes: 1, maxWaitMs: 100, backoffMs: 50, readCommitted };
  const observer = {
    polled: (polled: PolledBatches) => void polls.push(polled),
    pollFailed() {},
    sought() {},
  };
  const reader = new Reader(connect(bootstrap), [place], polling, observer);
  reader.start();
  const { end } = await reader.range(reader.places[0] as (typeof reader.places)[0], Infinity);
  await until('the end of the log', () => (reader.places[0]?.position ?? 0) >= end);
  await reader.close();
  const records = polls.flatMap(({ batches }) => batches.flatMap((batch) => batch.records));
  return { polls, lines: records.map(({ offset, value }) => `${offset}:${String(value)}`) };
}

/** The same by Java's own console consumer, the reference. */
function javaReads(bootstrap: string, topic: string, isolation: string): string[] {
  const argv = [
    '-cp',
    `${kafkaDirectory(ROOT)}/*`,
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
  ];
  const options = ['--from-beginning', '--timeout-ms', '6000', '--isolation-level', isolation];
  const shown = ['--property', 'print.offset=true', '--property', 'key.separator=:'];
  const text = execFileSync(
    findJava() ?? 'java',
    [...argv, '--bootstrap-server', bootstrap, '--topic', topic, ...options, ...shown],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const lines = text.split('\n').filter((line) => line.startsWith('Offset:'));
  return lines.map((line) => line.replace(/^Offset:(\d+)[:\t]/, '$1:'));
}

withLab({ brokers: 3, agents: false, coordinator: false }, (lab) => {
  test('read_committed: several aborted ranges of one producer, as Java reads them', async () => {
    const { bootstrap } = lab();
    const connections = connect(bootstrap);
    const leader = await freshTopic(connections, 'transactions');
    const writer = await TestTransactions.open(connections, 'test-writer');
    const fates = [true, false, true, false, false, true, false];
    for (const [index, commit] of fates.entries()) {
      await writer.write('transactions', 0, `${commit ? 'kept' : 'aborted'} ${index}`, commit);
    }
    const connection = await connections.to(leader);
    // Each transaction is a record and a marker; what is not replicated yet would be a second fetch.
    await until('all of it can be read', async () => {
      const stable = await listOffset(connection, 'transactions', 0, LATEST, true);
      return stable === 2 * fates.length;
    });
    connections.close();
    const committed = await readAll(bootstrap, 'transactions', true);
    assert.equal(committed.polls.length, 1, 'all of it in one fetch');
    const texts = committed.lines.map((line) => line.split(':')[1]);
    assert.deepEqual(texts, ['kept 0', 'kept 2', 'kept 5']);
    const all = await readAll(bootstrap, 'transactions', false);
    assert.equal(all.lines.length, 7);
    assert.deepEqual(javaReads(bootstrap, 'transactions', 'read_committed'), committed.lines);
    assert.deepEqual(javaReads(bootstrap, 'transactions', 'read_uncommitted'), all.lines);
  });

  test('a retry with the same sequence is not written twice', async () => {
    const { bootstrap } = lab();
    const connections = connect(bootstrap);
    const leader = await freshTopic(connections, 'retries');
    const connection = await connections.to(leader);
    const record = { value: Buffer.from('once'), timestampMs: Date.now() };
    const idempotent = { producerId: 4_242, producerEpoch: 0, baseSequence: 0 };
    const once = encodeBatch([record], idempotent);
    const offsets: bigint[] = [];
    for (let attempt = 0; attempt < 2; attempt++) {
      const answer = await connection.call(
        produce,
        -1,
        5_000,
        [{ topic: 'retries', topicPartition: 0, bytes: once }],
        null,
      );
      offsets.push(answer.responses[0]?.partitionResponses[0]?.baseOffset ?? -1n);
    }
    assert.deepEqual(offsets, [0n, 0n]);
    assert.equal(await listOffset(connection, 'retries', 0, LATEST, false), 1);
    // The control: without a producer id the same bytes are two records.
    const plain = { producerId: -1, producerEpoch: -1, baseSequence: -1 };
    const twice = encodeBatch([record], plain);
    for (let attempt = 0; attempt < 2; attempt++) {
      await connection.call(
        produce,
        -1,
        5_000,
        [{ topic: 'retries', topicPartition: 0, bytes: twice }],
        null,
      );
    }
    assert.equal(await listOffset(connection, 'retries', 0, LATEST, false), 3);
    const { polls } = await readAll(bootstrap, 'retries', false);
    const batches = polls.flatMap((polled) => polled.batches);
    assert.deepEqual(
      batches.map(({ producerId }) => producerId),
      [4_242, -1, -1],
    );
    assert.ok(batches.every(({ crcActual, crcExpected }) => crcActual === crcExpected));
    assert.equal(decodeBatches(once)[0]?.producerId, 4_242);
    connections.close();
  });

  test('the view follows leaders, ISR and the controller while a broker dies', async (t) => {
    const { bootstrap, name } = lab();
    const connections = connect(bootstrap);
    await freshTopic(connections, 'viewed');
    const configs: Record<string, string>[] = [{}, { 'min.insync.replicas': '1' }];
    for (const [index, config] of configs.entries()) {
      const fresh = { name: ['plain', 'loose'][index] ?? '', topicPartitions: 1, config };
      await createTopic(connections, { ...fresh, replicationFactor: 3 }, 10_000);
    }
    connections.close();
    const view = new ClusterView(bootstrap);
    t.after(() => view.close());
    view.start();
    const state = () => view.snapshot().topicPartitions.find(({ topic }) => topic === 'viewed');
    await until('three in sync', () => state()?.isr.length === 3);
    const before = await view.refresh();
    assert.deepEqual(before.voters, [1, 2, 3]);
    assert.ok(before.voters.includes(before.activeController));
    // The lab's brokers say 2 for a topic that does not say otherwise. Not every broker knows of a
    // topic at once.
    await until('the limits of both topics', async () => {
      const { minInsyncReplicas: limits } = await view.refresh();
      return limits?.['plain'] === 2 && limits['loose'] === 1;
    });
    const seen: string[] = [];
    const watch = new ClusterWatch(view, ({ message }) => seen.push(message));
    t.after(() => watch.close());
    watch.start();
    const dead = before.activeController;
    await askInit(placeOf(name), `n${dead}`, 'kill', 'broker');
    await until('another controller', () => view.snapshot().activeController !== dead, {
      timeoutMs: 30_000,
    });
    await until('the dead one out of sync', () => state()?.isr.includes(dead) === false, {
      timeoutMs: 30_000,
    });
    assert.notEqual(state()?.leader, dead);
    assert.equal(view.snapshot().error, undefined);
    await askInit(placeOf(name), `n${dead}`, 'start', 'broker');
    await until('back in sync', () => state()?.isr.length === 3, { timeoutMs: 60_000 });
    const said = seen.join('\n');
    assert.match(said, new RegExp(`active controller: ${dead}, now `));
    assert.match(said, new RegExp(`brokers gone: ${dead}`));
    assert.match(said, new RegExp(`brokers back: ${dead}`));
    assert.match(said, /ISR of [a-z_]+-0: /);
  });

  test('members by KIP-848 share, give back before another has it, and go on where it was', async () => {
    const connections = connect(lab().bootstrap);
    await createTopic(
      connections,
      { name: 'shared', topicPartitions: 6, replicationFactor: 1, config: {} },
      10_000,
    );
    const settings = { group: 'kip-848', topics: ['shared'], assignor: null };
    const times = { rebalanceMs: 30_000, commitMs: 60_000 };
    const begin = (places: GivenPlaces) =>
      runMember(new ConsumerMember(connections, { ...settings, ...times }, places));
    const [first, second] = [new GivenPlaces(), new GivenPlaces()];
    const endFirst = begin(first);
    const all = [0, 1, 2, 3, 4, 5].map((number) => `shared-${number}`);
    await until('all of it', () => first.names.join() === all.join());
    assert.deepEqual([...new Set(first.begun.values())], [-1]);
    const endSecond = begin(second);
    await until('half of it each', () => first.names.length === 3 && second.names.length === 3);
    assert.deepEqual([...first.names, ...second.names].toSorted(), all);
    // What was given back had been committed; what was kept goes on without the group.
    assert.deepEqual([...second.begun.values()], [READ_TO, READ_TO, READ_TO]);
    await endFirst();
    await until('all of it again', () => second.names.join() === all.join());
    assert.deepEqual([...new Set(second.begun.values())], [READ_TO]);
    await endSecond();
    connections.close();
  });
});

test('a view of nobody says so', async () => {
  const view = new ClusterView('127.0.0.9:9');
  const snapshot = await view.refresh();
  view.close();
  assert.match(snapshot.error ?? '', /no broker answers/);
  assert.deepEqual(snapshot.brokers, []);
});
