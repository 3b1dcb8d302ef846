import { Failure } from '../../../core/base/failure.ts';
import { describeProblem } from '../../../core/base/problem.ts';
import type { ConsumeBenchParams } from '../../../core/workloads/bench/consume-bench.ts';
import {
  readerProtocol,
  readersConflict,
  type ReaderProtocol,
} from '../../../core/workloads/bench/reader-protocol.ts';
import { readTopics, type ReadTopics } from '../../../core/workloads/topics-spec.ts';
import type { ClusterConnections } from '../../kafka/cluster-connections.ts';
import { commitOffsets, committedOffsets } from '../../kafka/group-offsets.ts';
import { findCoordinator } from '../../kafka/transaction.ts';
import { ClientConf } from './client-conf.ts';
import { ConsumerThread } from './consumer-thread.ts';
import { ReadCounts } from './read-counts.ts';
import { pause, soonAfter, type BenchContext, type BenchRun } from './context.ts';
import { memberOf } from './group-readers.ts';
import { logEnds } from './log-ends.ts';
import { READER_CONF, readerSettings } from './reader-conf.ts';

const RETRY_MS = 250;
const GROUP_KEY = 0;

interface Place {
  topic: string;
  topicPartition: number;
}

interface Reading {
  params: ConsumeBenchParams;
  conf: ClientConf;
  protocol: ReaderProtocol;
  wanted: ReadTopics;
  context: BenchContext;
}

/** See core/workloads/bench/consume-bench.ts: over when every reader has what it should, or its time is up. */
export const consumeBench: BenchRun = async (given, context) => {
  const params = given as ConsumeBenchParams;
  const { bootstrapServers, commonClientConf, consumerConf } = params;
  const conf = new ClientConf(bootstrapServers, commonClientConf, consumerConf);
  conf.tellUnused(READER_CONF);
  const wanted = readTopics(params.activeTopics);
  if (!wanted.ok) throw new Error('a spec that was not checked');
  const conflict = readersConflict(params);
  if (conflict !== undefined) return conflict;
  const protocol = readerProtocol(params);
  if (!protocol.ok) return protocol.problems.map(describeProblem).join('; ');
  const reading = { params, conf, protocol: protocol.value, wanted: wanted.value, context };
  const settings = readerSettings(conf);
  const threads = Array.from({ length: params.threadsPerWorker }, (_, index) => {
    const counts = new ReadCounts({
      perSecond: params.targetMessagesPerSec,
      maxMessages: params.maxMessages,
      processor: params.recordProcessor,
    });
    return new ConsumerThread(`consumer.${context.task}-${index}`, conf, settings, counts);
  });
  context.show(() => Object.fromEntries(threads.map((one) => [one.clientId, one.status])));
  const isAssigned = wanted.value.topicPartitions.length > 0;
  // A member that waits for its group when the end comes is not waited for.
  const ran = await Promise.race([
    Promise.all(
      threads.map((one, index) => (isAssigned ? assign : subscribe)(reading, one, index)),
    ),
    soonAfter(context.signal).then((): string[][] => []),
  ]);
  if (context.endedBy() === 'request' || threads.every(({ counts }) => counts.enough.aborted))
    return undefined;
  if (threads.some(({ wasAnswered }) => wasAnswered)) return undefined;
  const errors = [...new Set(ran.flat())].join(', ');
  return `nothing could be read: ${errors === '' ? 'no broker answers' : errors}`;
};

/** Without a group's name each reader is a group of its own. */
function groupOf({ params, conf, context }: Reading, index: number): string {
  const named = params.consumerGroup === '' ? conf.text('group.id', '') : params.consumerGroup;
  return named === '' ? `consume-bench-${context.run}-${index}` : named;
}

async function subscribe(reading: Reading, thread: ConsumerThread, index: number) {
  const { conf, protocol, wanted, context } = reading;
  const connections = conf.connect(thread.clientId);
  const end = AbortSignal.any([context.signal, thread.counts.enough]);
  const group = { group: groupOf(reading, index), topics: wanted.topics };
  const member = memberOf(conf, protocol, connections, group, {
    assigned: async (places) => thread.read(await begun(conf, connections, places, context.signal)),
    positions: () => thread.positions(),
    revoked: () => (end.aborted ? thread.stop() : thread.revoke()),
  });
  try {
    await member.run(end);
  } finally {
    connections.close();
  }
  return [...member.errors.keys(), ...thread.errors.keys()];
}

async function assign(reading: Reading, thread: ConsumerThread, index: number) {
  const { conf, context, params } = reading;
  const connections = conf.connect(thread.clientId);
  const end = AbortSignal.any([context.signal, thread.counts.enough]);
  try {
    const places = await insist(end, () => placesOf(reading, connections));
    if (!places) return ['no metadata'];
    const group = groupOf(reading, index);
    const isShared = params.consumerGroup !== '';
    const from = await insist(end, () => start(connections, group, places, isShared));
    if (!from) return ['no offsets'];
    thread.read(await begun(conf, connections, from, end));
    while (!end.aborted) await pause(RETRY_MS, end);
    const positions = await thread.stop();
    if (isShared && conf.text('enable.auto.commit', 'true') === 'true')
      await commit(connections, group, positions);
    return [...thread.errors.keys()];
  } finally {
    connections.close();
  }
}

type Position = Place & { position: number };

/** Where nobody has read yet, reading begins at one end of the log; -1 is its start. */
async function begun(
  conf: ClientConf,
  connections: ClusterConnections,
  places: readonly Position[],
  end: AbortSignal,
): Promise<readonly Position[]> {
  if (conf.text('auto.offset.reset', 'earliest') !== 'latest') return places;
  const fresh = places.filter(({ position }) => position < 0);
  const ends = await logEnds(connections, fresh, end);
  return [...places.filter(({ position }) => position >= 0), ...ends];
}

/** Topics of which no number was given are read whole. */
async function placesOf({ wanted }: Reading, connections: ClusterConnections): Promise<Place[]> {
  const { topics, topicPartitions } = wanted;
  if (topics.length === 0) return topicPartitions;
  const found = await connections.metadata(topics);
  const whole = found.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex }) => ({ topic: name ?? '', topicPartition: partitionIndex })),
  );
  return [...topicPartitions, ...whole];
}

/** Where the group has come to, if it is one that others know. */
async function start(
  connections: ClusterConnections,
  group: string,
  places: readonly Place[],
  isShared: boolean,
) {
  if (!isShared) return places.map((place) => ({ ...place, position: -1 }));
  return committedOffsets(await findCoordinator(connections, GROUP_KEY, group), group, places);
}

async function commit(
  connections: ClusterConnections,
  group: string,
  positions: Position[],
): Promise<void> {
  try {
    const coordinator = await findCoordinator(connections, GROUP_KEY, group);
    await commitOffsets(coordinator, group, { generation: -1, memberId: '' }, positions);
  } catch (error) {
    // The next reader of the group reads these again.
    if (!(error instanceof Failure)) throw error;
    console.error(`not committed: ${error.message}`);
  }
}

/** Asked until it succeeds; undefined: the end came first. */
async function insist<T>(end: AbortSignal, ask: () => Promise<T>): Promise<T | undefined> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (end.aborted) return undefined;
      await pause(RETRY_MS, end);
      if (end.aborted) return undefined;
    }
  }
}
