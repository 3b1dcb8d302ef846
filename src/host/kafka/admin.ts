import {
  createTopicsV5,
  ConfigResourceTypes,
  describeConfigsV2,
  describeQuorumV1,
  listOffsetsV6,
  protocolErrorsCodesById,
  type API,
} from '@platformatic/kafka';
import { Failure } from '../../core/base/failure.ts';
import { AnswerError, type BrokerConnection } from './broker-connection.ts';
import type { ClusterConnections } from './cluster-connections.ts';

export interface NewTopic {
  name: string;
  topicPartitions: number;
  replicationFactor: number;
  config: Record<string, string>;
}

/** Name of a protocol error code, e.g. 6 -> NOT_LEADER_OR_FOLLOWER; an unknown one as `ERROR_n`. */
export function errorName(code: number): string {
  return protocolErrorsCodesById[code] ?? `ERROR_${code}`;
}

/** Creates a topic. @returns false where it exists already. @throws Failure. */
export async function createTopic(
  connections: ClusterConnections,
  topic: NewTopic,
  timeoutMs: number,
): Promise<boolean> {
  const request = {
    name: topic.name,
    numPartitions: topic.topicPartitions,
    replicationFactor: topic.replicationFactor,
    assignments: [],
    configs: Object.entries(topic.config).map(([name, value]) => ({ name, value })),
  };
  try {
    await connections.any((connection) =>
      connection.call(createTopicsV5.api, [request], timeoutMs, false),
    );
    return true;
  } catch (error) {
    if (error instanceof AnswerError && error.code === 'TOPIC_ALREADY_EXISTS') return false;
    throw error;
  }
}

export const EARLIEST = -2n;
export const LATEST = -1n;

/**
 * ListOffsets v6 of one topic-partition at its leader.
 * @param which EARLIEST or LATEST (read_committed: the last stable offset). @throws Failure.
 */
export async function listOffset(
  connection: BrokerConnection,
  topic: string,
  topicPartition: number,
  which: bigint,
  readCommitted: boolean,
): Promise<number> {
  const ask = { partitionIndex: topicPartition, currentLeaderEpoch: -1, timestamp: which };
  const answer = await connection.call(listOffsetsV6.api, -1, readCommitted ? 1 : 0, [
    { name: topic, partitions: [ask] },
  ]);
  const found = answer.topics[0]?.partitions[0];
  if (found !== undefined && found.errorCode === 0) return Number(found.offset);
  const code = found === undefined ? 'no-answer' : errorName(found.errorCode);
  throw new Failure(code, `no offset of ${topic}-${topicPartition}: ${code}`, { definite: true });
}

const MIN_INSYNC = 'min.insync.replicas';

/**
 * DescribeConfigs v2 (Kafka 2.0 and later): what each topic must keep in sync, by its own or its brokers'
 * configuration. Topics that may not be described (ACLs) are left out. @throws Failure.
 */
export async function describeMinInsync(
  connection: BrokerConnection,
  topics: readonly string[],
): Promise<Map<string, number>> {
  const resources = topics.map((resourceName) => ({
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName,
    configurationKeys: [MIN_INSYNC],
  }));
  const { results } = await askConfigs(connection, resources);
  const found = results.flatMap(({ resourceName, configs }): [string, number][] => {
    const value = Number(configs.find(({ name }) => name === MIN_INSYNC)?.value);
    return value > 0 ? [[resourceName, value]] : [];
  });
  return new Map(found);
}

type DescribeConfigs =
  typeof describeConfigsV2.api extends API<infer Asked, infer Answer>
    ? { asked: Asked; answer: Answer }
    : never;

/** DescribeConfigs v2. @throws Failure. */
export async function askConfigs(
  connection: BrokerConnection,
  resources: DescribeConfigs['asked'][0],
): Promise<DescribeConfigs['answer']> {
  try {
    return await connection.call(describeConfigsV2.api, resources, false);
  } catch (error) {
    // The library throws when one topic has an error; the rest of the answer is as good as ever.
    if (error instanceof AnswerError && isConfigs(error.response)) return error.response;
    throw error;
  }
}

function isConfigs(response: unknown): response is DescribeConfigs['answer'] {
  return typeof response === 'object' && response !== null && 'results' in response;
}

export interface Quorum {
  leader: number;
  epoch: number;
  voters: number[];
  /** How far each node (voters and observers) is in the metadata log. */
  ends: Map<number, number>;
}

/** DescribeQuorum v1 (Kafka 3.3 and later): the active controller and the voters. @throws Failure. */
export async function describeQuorum(connection: BrokerConnection): Promise<Quorum> {
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];
  const answer = await connection.call(describeQuorumV1.api, topics);
  const state = answer.topics[0]?.partitions[0];
  if (state === undefined || state.errorCode !== 0) {
    const code = state === undefined ? 'no-answer' : errorName(state.errorCode);
    throw new Failure(code, `no description of the quorum: ${code}`, { definite: true });
  }
  const ends = new Map<number, number>();
  for (const { replicaId, logEndOffset } of [...state.currentVoters, ...state.observers]) {
    ends.set(replicaId, Number(logEndOffset));
  }
  const voters = state.currentVoters.map(({ replicaId }) => replicaId).sort((a, b) => a - b);
  return { leader: state.leaderId, epoch: state.leaderEpoch, voters, ends };
}
