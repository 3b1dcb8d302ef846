import { Failure } from '../../../core/base/failure.ts';
import type { SustainedConnectionParams } from '../../../core/workloads/bench/sustained-connection.ts';
import { payloadGenerator } from '../../../core/workloads/payload-generator.ts';
import { listOffset, LATEST } from '../../kafka/admin.ts';
import type { ClusterConnections } from '../../kafka/cluster-connections.ts';
import { produce } from '../../kafka/produce-request.ts';
import { encodeBatch } from '../../kafka/record-batch.ts';
import { ClientConf } from './client-conf.ts';
import { pause, soonAfter, type BenchContext, type BenchRun } from './context.ts';

interface Held {
  connections: ClusterConnections | undefined;
  nextMs: number;
  counts: { total: number; failed: number; used: number };
  open(): ClusterConnections;
  use(connections: ClusterConnections): Promise<void>;
}

/** See core/workloads/bench/sustained-connection.ts; runs until its time is up. */
export const sustainedConnection: BenchRun = async (given, context) => {
  const params = given as SustainedConnectionParams;
  const kinds = {
    Producer: { total: 0, failed: 0, used: 0 },
    Consumer: { total: 0, failed: 0, used: 0 },
    Metadata: { total: 0, failed: 0, used: 0 },
  };
  const troubles: { last: string } = { last: '' };
  context.show(() => ({
    totalProducerConnections: kinds.Producer.total,
    totalProducerFailedConnections: kinds.Producer.failed,
    totalConsumerConnections: kinds.Consumer.total,
    totalConsumerFailedConnections: kinds.Consumer.failed,
    totalMetadataConnections: kinds.Metadata.total,
    totalMetadataFailedConnections: kinds.Metadata.failed,
    totalAbortedThreads: 0,
    updatedMs: Date.now(),
  }));
  const held = heldConnections(params, kinds);
  const threads = Array.from({ length: Math.max(1, params.numThreads) }, () =>
    refreshAgain(held, Math.max(1, params.refreshRateMs), troubles, context),
  );
  await Promise.race([Promise.all(threads), soonAfter(context.signal)]);
  for (const one of held) one.connections?.close();
  const worked = Object.values(kinds).some(({ used }) => used > 0);
  return context.endedBy() === 'request' || worked
    ? undefined
    : `no connection worked: ${troubles.last}`;
};

type Kinds = Record<'Producer' | 'Consumer' | 'Metadata', Held['counts']>;

function heldConnections(params: SustainedConnectionParams, kinds: Kinds): Held[] {
  const { bootstrapServers, commonClientConf, producerConf, consumerConf, adminClientConf } =
    params;
  const conf = (own: Record<string, string>): ClientConf =>
    new ClientConf(bootstrapServers, commonClientConf, own);
  const make = (
    count: number,
    client: ClientConf,
    counts: Held['counts'],
    use: () => Held['use'],
  ): Held[] =>
    Array.from({ length: count }, () => ({
      connections: undefined,
      nextMs: 0,
      counts,
      open: () => client.connect('faultline-sustained'),
      use: use(),
    }));
  return [
    ...make(params.producerConnectionCount, conf(producerConf), kinds.Producer, () =>
      writer(params),
    ),
    ...make(params.consumerConnectionCount, conf(consumerConf), kinds.Consumer, () =>
      reader(params),
    ),
    ...make(params.metadataConnectionCount, conf(adminClientConf), kinds.Metadata, () => asker),
  ];
}

async function asker(connections: ClusterConnections): Promise<void> {
  await connections.metadata([]);
}

/** The topic-partitions of the topic, one after the other, with their leaders. @throws Failure. */
async function leaderOf(connections: ClusterConnections, topic: string, turn: number) {
  const { topics } = await connections.metadata([topic]);
  const places = topics.find(({ name }) => name === topic)?.partitions ?? [];
  const place = places[turn % Math.max(1, places.length)];
  if (!place || place.leaderId < 0)
    throw new Failure('no-leader', `topic '${topic}' has no leader`, { definite: true });
  return { topicPartition: place.partitionIndex, leader: await connections.to(place.leaderId) };
}

/** Writes one record. */
function writer({
  topicName,
  keyGenerator,
  valueGenerator,
}: SustainedConnectionParams): Held['use'] {
  const key = payloadGenerator(keyGenerator ?? { type: 'null' });
  const value = payloadGenerator(valueGenerator ?? { type: 'null' });
  let turn = 0;
  return async (connections) => {
    const { topicPartition, leader } = await leaderOf(connections, topicName, turn);
    const timestampMs = Date.now();
    const [ownKey, ownValue] = [key(turn, timestampMs), value(turn, timestampMs)];
    turn++;
    const record = {
      ...(ownKey ? { key: Buffer.from(ownKey) } : {}),
      value: Buffer.from(ownValue ?? []),
      timestampMs,
    };
    const batch = encodeBatch([record], { producerId: -1, producerEpoch: -1, baseSequence: -1 });
    await leader.call(
      produce,
      -1,
      30_000,
      [{ topic: topicName, topicPartition, bytes: batch }],
      null,
    );
  };
}

/** Asks for the end of one topic-partition, as a reader does that looks for more. */
function reader({ topicName }: SustainedConnectionParams): Held['use'] {
  let turn = 0;
  return async (connections) => {
    const { topicPartition, leader } = await leaderOf(connections, topicName, turn++);
    await listOffset(leader, topicName, topicPartition, LATEST, false);
  };
}

/** Uses whichever connection's turn has come; one that fails is closed, and opened anew at its next turn. */
async function refreshAgain(
  held: readonly Held[],
  everyMs: number,
  troubles: { last: string },
  { signal }: BenchContext,
): Promise<void> {
  while (!signal.aborted) {
    const nowMs = performance.now();
    const one = held.find(({ nextMs }) => nextMs <= nowMs);
    if (!one) {
      const next = Math.min(...held.map(({ nextMs }) => nextMs));
      // All in use: asked again soon.
      await pause(Number.isFinite(next) ? Math.min(next - nowMs, 100) : 10, signal);
      continue;
    }
    // Nobody else takes it meanwhile.
    one.nextMs = Number.POSITIVE_INFINITY;
    await use(one, troubles);
    one.nextMs = performance.now() + everyMs;
  }
}

async function use(one: Held, troubles: { last: string }): Promise<void> {
  try {
    if (!one.connections) {
      one.counts.total++;
      one.connections = one.open();
    }
    await one.use(one.connections);
    one.counts.used++;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    troubles.last = error.message;
    one.counts.failed++;
    one.connections?.close();
    one.connections = undefined;
  }
}
