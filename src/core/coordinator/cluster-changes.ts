import type { ClusterSnapshot, TopicPartitionState } from '../model/topology.ts';

/** Topic-partitions named one by one in an event; the rest are counted. */
const NAMED_MAX = 20;

/** What differs between two looks at a cluster; numbers are Kafka node ids. */
export interface ClusterChange {
  activeController?: { from: number; to: number };
  brokersGone: number[];
  brokersCome: number[];
  /** At most 20 each; `leadersMoved` and `isrChanged` count all. */
  leaders: { topicPartition: string; from: number; to: number }[];
  leadersMoved: number;
  isr: { topicPartition: string; from: number[]; to: number[] }[];
  isrChanged: number;
}

const nameOf = ({ topic, partition }: TopicPartitionState): string => `${topic}-${partition}`;

/** @returns undefined where nothing differs; topic-partitions that are new or gone count as nothing. */
export function changeBetween(
  before: ClusterSnapshot,
  after: ClusterSnapshot,
): ClusterChange | undefined {
  const known = new Map(before.topicPartitions.map((state) => [nameOf(state), state]));
  const pairs = after.topicPartitions.flatMap((now) => {
    const was = known.get(nameOf(now));
    return was === undefined ? [] : [{ topicPartition: nameOf(now), was, now }];
  });
  const leaders = pairs.filter(({ was, now }) => was.leader !== now.leader);
  const isr = pairs.filter(({ was, now }) => inOrder(was.isr) !== inOrder(now.isr));
  const ids = (snapshot: ClusterSnapshot): number[] => snapshot.brokers.map(({ id }) => id);
  const [had, has] = [ids(before), ids(after)];
  const change: ClusterChange = {
    brokersGone: had.filter((id) => !has.includes(id)),
    brokersCome: has.filter((id) => !had.includes(id)),
    leaders: leaders.slice(0, NAMED_MAX).map(({ topicPartition, was, now }) => ({
      topicPartition,
      from: was.leader,
      to: now.leader,
    })),
    leadersMoved: leaders.length,
    isr: isr.slice(0, NAMED_MAX).map(({ topicPartition, was, now }) => ({
      topicPartition,
      from: was.isr,
      to: now.isr,
    })),
    isrChanged: isr.length,
  };
  if (before.activeController !== after.activeController)
    change.activeController = { from: before.activeController, to: after.activeController };
  return describeChange(change) === '' ? undefined : change;
}

const inOrder = (ids: readonly number[]): string => ids.toSorted((a, b) => a - b).join(' ');

/** In words, on one line. */
export function describeChange(change: ClusterChange): string {
  const { activeController, brokersGone, brokersCome, leaders, isr } = change;
  const who = (id: number): string => (id < 0 ? 'nobody' : String(id));
  const parts: string[] = [];
  if (activeController !== undefined)
    parts.push(`active controller: ${who(activeController.from)}, now ${who(activeController.to)}`);
  if (brokersGone.length > 0) parts.push(`brokers gone: ${brokersGone.join(' ')}`);
  if (brokersCome.length > 0) parts.push(`brokers back: ${brokersCome.join(' ')}`);
  const [led] = leaders;
  if (led !== undefined)
    parts.push(
      `leader of ${led.topicPartition}: ${who(led.from)}, now ${who(led.to)}${others(change.leadersMoved)}`,
    );
  const [synced] = isr;
  if (synced !== undefined)
    parts.push(
      `ISR of ${synced.topicPartition}: ${synced.from.join(' ')}, now ${synced.to.join(' ')}${others(change.isrChanged)}`,
    );
  return parts.join('; ');
}

const others = (count: number): string => (count > 1 ? ` (and of ${count - 1} more)` : '');
