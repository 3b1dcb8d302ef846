import { placeOfKey } from '../../../core/workloads/murmur2.ts';
import type { LoadTopic } from '../../../core/workloads/topics-spec.ts';
import type { LoadPlace } from './producer-load.ts';

/** All topic-partitions of topics, topic by topic. */
export function placesOf(topics: readonly LoadTopic[]): LoadPlace[] {
  return topics.flatMap(({ name, topicPartitions }) =>
    topicPartitions.map((topicPartition) => ({ topic: name, topicPartition })),
  );
}

/**
 * Where a record goes, as KafkaProducer's default has it: by the key within the topic whose turn it is;
 * without a key to one topic-partition after the other, a batch each.
 */
export class Partitioner {
  readonly #topics: { from: number; size: number; at: number; bytes: number }[];
  readonly #topicOf: number[];
  readonly #stickyBytes: number;

  constructor(topics: readonly LoadTopic[], stickyBytes: number) {
    let from = 0;
    this.#topics = topics.map(({ topicPartitions: { length: size } }) => {
      const topic = { from, size, at: 0, bytes: 0 };
      from += size;
      return topic;
    });
    this.#topicOf = this.#topics.flatMap(({ size }, index) => Array<number>(size).fill(index));
    this.#stickyBytes = stickyBytes;
  }

  place(turn: number, key: Uint8Array | null, bytes: number): number {
    const topic = this.#topics[this.#topicOf[turn % this.#topicOf.length] ?? 0];
    if (!topic) return 0;
    if (key) return topic.from + placeOfKey(key, topic.size);
    topic.bytes += bytes;
    if (topic.bytes > this.#stickyBytes) {
      topic.bytes = 0;
      topic.at = (topic.at + 1) % topic.size;
    }
    return topic.from + topic.at;
  }
}
