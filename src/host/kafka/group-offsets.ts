import { offsetCommitV8, offsetFetchV8 } from '@platformatic/kafka';
import type { BrokerConnection } from './broker-connection.ts';
import type { GroupPlace } from './group-protocol.ts';

interface GroupPosition extends GroupPlace {
  /** Offset of the next record; -1: none. */
  position: number;
}

function byTopic<T extends GroupPlace>(places: readonly T[]): [string, T[]][] {
  const topics = [...new Set(places.map(({ topic }) => topic))];
  return topics.map((topic) => [topic, places.filter((place) => place.topic === topic)]);
}

/** What a group has committed, -1 where nothing. @throws Failure. */
export async function committedOffsets(
  coordinator: BrokerConnection,
  groupId: string,
  places: readonly GroupPlace[],
): Promise<GroupPosition[]> {
  const topics = byTopic(places).map(([name, own]) => ({
    name,
    partitionIndexes: own.map(({ topicPartition }) => topicPartition),
  }));
  const answer = await coordinator.call(
    offsetFetchV8.api,
    [{ groupId, memberEpoch: -1, topics }],
    false,
  );
  const found = answer.groups[0]?.topics ?? [];
  return places.map(({ topic, topicPartition }) => {
    const place = found
      .find(({ name }) => name === topic)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === topicPartition);
    return { topic, topicPartition, position: Number(place?.committedOffset ?? -1n) };
  });
}

/**
 * @param member of a group; without one (generation -1, id ''): of a reader that was assigned.
 * @param api version 8 (Kafka 2.4 and later); members by KIP-848 are heard from version 9 on.
 * @throws Failure.
 */
export async function commitOffsets(
  coordinator: BrokerConnection,
  groupId: string,
  member: { generation: number; memberId: string },
  positions: readonly GroupPosition[],
  api = offsetCommitV8.api,
): Promise<void> {
  const known = positions.filter(({ position }) => position >= 0);
  if (known.length === 0) return;
  const topics = byTopic(known).map(([name, own]) => ({
    name,
    partitions: own.map(({ topicPartition, position }) => ({
      partitionIndex: topicPartition,
      committedOffset: BigInt(position),
      committedLeaderEpoch: -1,
      committedMetadata: '',
    })),
  }));
  const { generation, memberId } = member;
  await coordinator.call(api, groupId, generation, memberId, null, topics);
}
