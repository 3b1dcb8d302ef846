import { createTopicsV5 } from '@platformatic/kafka';
import { Failure, reasonOf } from '../../../core/base/failure.ts';
import type { LoadTopic } from '../../../core/workloads/topics-spec.ts';
import { errorName } from '../../kafka/admin.ts';
import { AnswerError } from '../../kafka/broker-connection.ts';
import type { ClusterConnections } from '../../kafka/cluster-connections.ts';
import { pause, type BenchContext } from './context.ts';

/** How long a cluster may take to have the topics: as in Trogdor. */
const PATIENCE_MS = 180_000;
const RETRY_MS = 250;
const AT_ONCE = 10;

/** Refused for good: asking again would be refused again. */
const FOR_GOOD = new Set([
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_PARTITIONS',
  'INVALID_REPLICA_ASSIGNMENT',
  'INVALID_CONFIG',
  'INVALID_REQUEST',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TOPIC_DELETION_DISABLED',
  'UNSUPPORTED_VERSION',
  'bad-topic',
]);

/**
 * Creates the topics that are missing, and waits until every topic-partition has a leader. One that
 * exists is left as it is, but must have as many topic-partitions as the load wants.
 * @throws Failure: refused, other than wanted, or not there in time.
 */
export async function haveTopics(
  connections: ClusterConnections,
  topics: readonly LoadTopic[],
  context: BenchContext,
): Promise<void> {
  context.show(() => `Creating ${topics.length} topic(s)`);
  const untilMs = performance.now() + PATIENCE_MS;
  for (let at = 0; at < topics.length; at += AT_ONCE) {
    const some = topics.slice(at, at + AT_ONCE);
    await insist(untilMs, context, () => ask(connections, some));
  }
  context.show(() => `Created ${topics.length} topic(s)`);
}

async function insist(
  untilMs: number,
  { signal, endedBy }: BenchContext,
  attempt: () => Promise<void>,
): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const isOver = signal.aborted || performance.now() > untilMs;
      if (endedBy() === 'request') return;
      if (isOver || FOR_GOOD.has(error.code)) throw whyNot(error);
      await pause(RETRY_MS, signal);
    }
  }
}

function whyNot(error: Failure): Failure {
  const says = `the topics could not be had: ${reasonOf(error)}`;
  return new Failure(error.code, says, { definite: error.definite, cause: error });
}

/** One attempt: what is there, what has to be made, whether it is as it was wanted. */
async function ask(connections: ClusterConnections, topics: readonly LoadTopic[]): Promise<void> {
  const { topics: found } = await connections.metadata(topics.map(({ name }) => name));
  const missing: LoadTopic[] = [];
  const notYet: string[] = [];
  for (const topic of topics) {
    const there = found.find(({ name }) => name === topic.name);
    if (there === undefined || errorName(there.errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION') {
      missing.push(topic);
      continue;
    }
    const wanted = topic.topicPartitions.length;
    if (
      there.errorCode === 0 &&
      there.partitions.length !== wanted &&
      there.partitions.length > 0
    ) {
      const says = `topic '${topic.name}' has ${there.partitions.length} topic-partitions, not ${wanted}`;
      throw new Failure('bad-topic', says, { definite: true });
    }
    const hasLeaders = there.partitions.every(({ leaderId }) => leaderId >= 0);
    if (there.errorCode !== 0 || !hasLeaders) notYet.push(topic.name);
  }
  if (missing.length > 0) await create(connections, missing);
  if (missing.length === 0 && notYet.length === 0) return;
  const names = [...missing.map(({ name }) => name), ...notYet].join(', ');
  throw new Failure('no-leader', `${names}: not all have a leader yet`, { definite: true });
}

async function create(connections: ClusterConnections, topics: readonly LoadTopic[]) {
  const asked = topics.map(({ name, topicPartitions, replicationFactor, assignments, configs }) => {
    const assigned = Object.entries(assignments).map(([index, brokerIds]) => ({
      partitionIndex: Number(index),
      brokerIds,
    }));
    // Where replicas are given, the counts must not be (Kafka protocol guide, CreateTopics).
    const isAssigned = assigned.length > 0;
    return {
      name,
      numPartitions: isAssigned ? -1 : topicPartitions.length,
      replicationFactor: isAssigned ? -1 : replicationFactor,
      assignments: assigned,
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    };
  });
  try {
    await connections.any((one) => one.call(createTopicsV5.api, asked, 25_000, false));
  } catch (error) {
    // Somebody else made it meanwhile, or it was made by an attempt whose answer was lost.
    if (!(error instanceof AnswerError) || error.code !== 'TOPIC_ALREADY_EXISTS') throw error;
  }
}
