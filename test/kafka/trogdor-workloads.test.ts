/** Every workload class of Trogdor's protocol against real brokers, and against a cluster that is dead. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import {
  ConfigResourceTypes,
  incrementalAlterConfigsV1,
  updateFeaturesV1,
} from '@platformatic/kafka';
import { withLab } from '../support/lab.ts';
import { lacks } from '../support/needs.ts';
import {
  begin,
  BENCHES,
  closed,
  ended,
  finished,
  type Counts,
} from '../support/trogdor/bench-runs.ts';
import { connect, groupTypes } from '../support/trogdor/groups.ts';
import { JavaLoads } from '../support/trogdor/java-loads.ts';
import { deadLoads, loadRequests, topic } from '../support/trogdor/load-requests.ts';

after(() => rmSync(BENCHES, { recursive: true, force: true }));

/** FeatureUpdate of Kafka's protocol: upgrade only. */
const UPGRADE = 1 as const;
/** IncrementalAlterConfigs: set. */
const SET = 0 as const;

const BY_CONSUMER_PROTOCOL = {
  consumerGroup: 'kip-848',
  consumerConf: { 'group.protocol': 'consumer' },
};

interface Produced {
  totalSent: number;
  averageLatencyMs: number;
  p50LatencyMs: number;
  p99LatencyMs: number;
  transactionsCommitted: number;
}
interface Consumed {
  assignedPartitions: string[];
  totalMessagesReceived: number;
  totalBytesReceived: number;
  recordProcessorStatus?: { p99LatencyMs: number };
}

withLab({ brokers: 1, clients: 0, agents: false, coordinator: false }, (lab) => {
  const { produce, consume, roundTrip } = loadRequests(() => lab().bootstrap);

  test('ProduceBench writes, ConsumeBench reads it: assigned, alone, and as a group', async () => {
    const sent = await finished<Produced>('produce', produce({ 'bench[1-2]': topic() }));
    assert.equal(sent.totalSent, 10_000);
    assert.ok(sent.p99LatencyMs >= sent.p50LatencyMs && sent.averageLatencyMs > 0);
    const read = await Promise.all([
      finished<Record<string, Consumed>>(
        'assigned',
        consume(['bench1:[0-2]'], { maxMessages: 5_000 }),
      ),
      finished<Record<string, Consumed>>('alone', consume(['bench[1-2]'], { maxMessages: 10_000 })),
      finished<Record<string, Consumed>>(
        'group',
        consume(['bench[1-2]'], { maxMessages: 3_000, consumerGroup: 'g', threadsPerWorker: 2 }),
      ),
      finished<Record<string, Consumed>>(
        'kip-848',
        consume(['bench[1-2]'], {
          ...BY_CONSUMER_PROTOCOL,
          maxMessages: 3_000,
          threadsPerWorker: 2,
        }),
      ),
    ]);
    const [assigned, alone, group, later] = read.map((status) => Object.entries(status));
    const [name, of] = assigned?.[0] ?? [];
    assert.equal(name, 'consumer.assigned-0');
    assert.deepEqual([of?.totalMessagesReceived, of?.totalBytesReceived], [5_000, 5_000 * 516]);
    // The last status says what it had, as Trogdor's does.
    const [three, six] = [['bench1'], ['bench1', 'bench2']].map((topics) =>
      topics.flatMap((one) => [0, 1, 2].map((index) => `${one}-${index}`)),
    );
    assert.deepEqual(of?.assignedPartitions, three);
    assert.equal(alone?.[0]?.[1].totalMessagesReceived, 10_000);
    assert.deepEqual(alone[0][1].assignedPartitions.toSorted(), six);
    for (const readers of [group, later])
      assert.deepEqual(
        readers?.map(([, one]) => one.totalMessagesReceived),
        [3_000, 3_000],
      );
    // A group goes on where it came to: the rest is what its next reader gets.
    for (const [id, of] of [
      ['rest', { consumerGroup: 'g' }],
      ['rest-848', BY_CONSUMER_PROTOCOL],
    ] as const) {
      const more = { ...of, maxMessages: 4_000 };
      const rest = await finished<Record<string, Consumed>>(id, consume(['bench[1-2]'], more));
      assert.deepEqual(
        Object.values(rest).map((one) => one.totalMessagesReceived),
        [4_000],
      );
    }
    assert.deepEqual(await groupTypes(lab().bootstrap, ['g', 'kip-848']), ['classic', 'consumer']);
  });

  test('transactions are committed as they are counted; records tell their age', async () => {
    const spec = produce(
      { transactions: topic() },
      {
        maxMessages: 100,
        transactionGenerator: { type: 'uniform', messagesPerTransaction: 20 },
        valueGenerator: { type: 'timestampConstant', size: 100 },
        producerConf: { 'compression.type': 'gzip' },
      },
    );
    const sent = await finished<Produced>('transactions', spec);
    assert.deepEqual([sent.totalSent, sent.transactionsCommitted], [100, 5]);
    const committed = { 'isolation.level': 'read_committed' };
    const processor = { type: 'timestamp', histogramMaxMs: 60_000, histogramStepMs: 1 };
    const more = { maxMessages: 100, consumerConf: committed, recordProcessor: processor };
    const [read] = Object.values(
      await finished<Record<string, Consumed>>('committed', consume(['transactions'], more)),
    );
    assert.equal(read?.totalMessagesReceived, 100);
    assert.ok((read?.recordProcessorStatus?.p99LatencyMs ?? 0) > 0);
  });

  test('ConfigurableProducer and both kinds of connections run until they are told to end', async () => {
    const client = { clientNode: 'n1', bootstrapServers: lab().bootstrap };
    const stress = { ...client, class: 'ConnectionStressSpec', targetConnectionsPerSec: 20 };
    const isMany = ({ totalConnections = 0 }: Counts): boolean => totalConnections > 10;
    const [sent, connects, metadata, sustained] = await Promise.all([
      closed('configurable', ({ totalSent = 0 }) => totalSent > 200, {
        class: 'ConfigurableProducerSpec',
        producerNode: 'n1',
        bootstrapServers: lab().bootstrap,
        throughputGenerator: { type: 'constant', messagesPerWindow: 10, windowSizeMs: 100 },
        flushGenerator: { type: 'constant', messagesPerFlush: 50 },
        keyGenerator: { type: 'sequential', size: 4 },
        valueGenerator: { type: 'constant', size: 512 },
        activeTopic: { configurable: topic() },
        activePartition: -1,
      }),
      closed('connects', isMany, stress),
      closed('metadata', isMany, { ...stress, numThreads: 2, action: 'FETCH_METADATA' }),
      closed('sustained', ({ totalMetadataConnections }) => totalMetadataConnections === 2, {
        ...client,
        class: 'SustainedConnectionSpec',
        producerConnectionCount: 2,
        consumerConnectionCount: 2,
        metadataConnectionCount: 2,
        numThreads: 2,
        refreshRateMs: 200,
        topicName: 'bench1',
        valueGenerator: { type: 'constant', size: 20 },
      }),
    ]);
    assert.equal(sent['totalFailed'], undefined);
    for (const { totalFailedConnections, connectsPerSec = 0 } of [connects, metadata]) {
      assert.equal(totalFailedConnections, 0);
      assert.ok(connectsPerSec > 0);
    }
    const { updatedMs, ...counts } = sustained;
    assert.ok((updatedMs ?? 0) > 0);
    assert.deepEqual(counts, {
      totalProducerConnections: 2,
      totalProducerFailedConnections: 0,
      totalConsumerConnections: 2,
      totalConsumerFailedConnections: 0,
      totalMetadataConnections: 2,
      totalMetadataFailedConnections: 0,
      totalAbortedThreads: 0,
    });
  });

  test('RoundTrip is over when every record has come back, also over what others left there', async () => {
    for (const id of ['trip', 'trip-again']) {
      const status = await finished(id, roundTrip({ trip: topic(6) }));
      assert.deepEqual(status, { totalUniqueSent: 10_000, totalReceived: 10_000 });
    }
  });

  test('share groups: ShareConsumeBench and ShareRoundTrip', async () => {
    const { bootstrap } = lab();
    const connections = connect(bootstrap);
    try {
      const feature = { feature: 'share.version', maxVersionLevel: 1, upgradeType: UPGRADE };
      await connections.any((one) => one.call(updateFeaturesV1.api, 30_000, [feature], false));
      // So that the group reads what was there before it.
      const configs = [
        { name: 'share.auto.offset.reset', configOperation: SET, value: 'earliest' },
      ];
      const { GROUP: resourceType } = ConfigResourceTypes;
      const group = { resourceType, resourceName: 'share', configs };
      await connections.any((one) => one.call(incrementalAlterConfigsV1.api, [group], false));
    } finally {
      connections.close();
    }
    await finished<Produced>('for-share', produce({ shared: topic(6) }, { maxMessages: 4_000 }));
    const [read, trip] = await Promise.all([
      finished<Record<string, Consumed & { subscription: string[] }>>('share', {
        ...consume(['shared'], { maxMessages: 1_500, threadsPerWorker: 2 }),
        class: 'ShareConsumeBenchSpec',
      }),
      finished('share-trip', {
        ...roundTrip({ 'share-trip': topic(3) }, { maxMessages: 3_000 }),
        class: 'ShareRoundTripWorkloadSpec',
      }),
    ]);
    const members = Object.values(read);
    assert.deepEqual(
      members.map((one) => [one.totalMessagesReceived, one.subscription]),
      [
        [1_500, ['shared']],
        [1_500, ['shared']],
      ],
    );
    assert.deepEqual(trip, { totalUniqueSent: 3_000, totalReceived: 3_000 });
  });

  test(
    "Trogdor's own client and coordinator have our agent run them",
    { skip: lacks('trogdor-jars') },
    async () => {
      const full = (spec: { class: string }) => ({
        ...spec,
        startMs: 0,
        durationMs: 60_000,
        class: `org.apache.kafka.trogdor.workload.${spec.class}`,
      });
      const loads = new JavaLoads();
      try {
        await loads.start();
        for (const under of ['theirs', 'ours'] as const) {
          const sent = full(produce({ [`java-${under}`]: topic() }));
          const read = full(consume([`java-${under}:[0-2]`], { maxMessages: 10_000 }));
          const trip = full(roundTrip({ [`java-trip-${under}`]: topic() }));
          const { totalSent } = (await loads.finished(under, 'sent', sent)) as Produced;
          assert.equal(totalSent, 10_000, under);
          const [by] = Object.values(
            (await loads.finished(under, 'read', read)) as object,
          ) as Consumed[];
          assert.equal(by?.totalMessagesReceived, 10_000, under);
          const counts = { totalUniqueSent: 10_000, totalReceived: 10_000 };
          assert.deepEqual(await loads.finished(under, 'trip', trip), counts, under);
        }
      } finally {
        await loads.close();
      }
    },
  );

  test('what is refused is an error that says why', async () => {
    const other = begin('other', produce({ bench1: topic(7) }));
    const status = await ended(other);
    assert.match(status.error ?? '', /topic 'bench1' has 3 topic-partitions, not 7/);
    const explicit = { consumerGroup: 'g', threadsPerWorker: 2 };
    const conflict = await ended(begin('conflict', consume(['bench1:[0-2]'], explicit)));
    assert.match(conflict.error ?? '', /explicit partition assignment/);
    const consumerConf = { 'group.protocol': 'consumer', 'session.timeout.ms': '9000' };
    const beside = await ended(begin('beside', consume(['bench1'], { consumerConf })));
    assert.match(beside.error ?? '', /session.timeout.ms: cannot be set when group.protocol=/);
    const unknown = { 'group.protocol': 'consumer', 'group.remote.assignor': 'none-such' };
    const more = { ...BY_CONSUMER_PROTOCOL, maxMessages: 1, consumerConf: unknown };
    const assignor = await ended(begin('assignor', consume(['bench1'], more)));
    assert.match(assignor.error ?? '', /group 'kip-848' by the protocol 'consumer': The assignor/);
    const refused = begin(
      'refused',
      produce({ many: { numPartitions: 1, replicationFactor: 9 } }, { durationMs: 4_000 }),
    );
    assert.match((await ended(refused)).error ?? '', /topics could not be had/);
  });

  test('a dead cluster is a failed workload, whichever it is', async () => {
    const begun = Object.entries(deadLoads()).map(([id, spec]) => [id, begin(id, spec)] as const);
    for (const [id, directory] of begun) {
      const status = await ended(directory);
      assert.equal(status.phase, 'failed', id);
      assert.match(status.error ?? '', /could not be had|could be read|failed|worked|tried/, id);
    }
  });
});
