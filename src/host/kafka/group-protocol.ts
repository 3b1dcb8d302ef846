/**
 * What members of a consumer group tell each other through their coordinator, version 0
 * (ConsumerProtocolSubscription and ConsumerProtocolAssignment of Kafka's protocol), and the assignor
 * 'range' that KafkaConsumer has by default (RangeAssignor's documentation).
 */
export interface GroupPlace {
  topic: string;
  topicPartition: number;
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const VERSION = Buffer.alloc(2);
const NO_USER_DATA = int32(-1);

export function encodeSubscription(topics: readonly string[]): Buffer {
  return Buffer.concat([VERSION, int32(topics.length), ...topics.map(shortText), NO_USER_DATA]);
}

class Place {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    return this.#bytes.readInt16BE((this.#at += 2) - 2);
  }

  int32(): number {
    return this.#bytes.readInt32BE((this.#at += 4) - 4);
  }

  text(): string {
    const length = this.int16();
    return this.#bytes.toString('utf8', this.#at, (this.#at += length));
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.int32() }, read);
  }
}

/** The topics a member wants; later versions only add to the end. */
export function decodeSubscription(bytes: Buffer): string[] {
  const place = new Place(bytes);
  place.int16();
  return place.list(() => place.text());
}

export function encodeAssignment(places: readonly GroupPlace[]): Buffer {
  const topics = [...new Set(places.map(({ topic }) => topic))];
  const parts = topics.map((topic) => {
    const own = places.filter((place) => place.topic === topic);
    const numbers = own.map(({ topicPartition }) => int32(topicPartition));
    return Buffer.concat([shortText(topic), int32(own.length), ...numbers]);
  });
  return Buffer.concat([VERSION, int32(topics.length), ...parts, NO_USER_DATA]);
}

export function decodeAssignment(bytes: Buffer): GroupPlace[] {
  if (bytes.length === 0) return [];
  const place = new Place(bytes);
  place.int16();
  return place
    .list(() => {
      const topic = place.text();
      return place.list(() => ({ topic, topicPartition: place.int32() }));
    })
    .flat();
}

/**
 * Of each topic every member that wants it gets a range; the first ones get one more where it does not
 * come out even.
 * @param counts topic-partitions by topic.
 */
export function assignRanges(
  members: readonly { memberId: string; topics: readonly string[] }[],
  counts: ReadonlyMap<string, number>,
): Map<string, GroupPlace[]> {
  const assigned = new Map(members.map(({ memberId }) => [memberId, [] as GroupPlace[]]));
  for (const [topic, count] of counts) {
    const wanting = members
      .filter(({ topics }) => topics.includes(topic))
      .map(({ memberId }) => memberId)
      .sort();
    let next = 0;
    for (const [index, memberId] of wanting.entries()) {
      const share = Math.floor(count / wanting.length) + (index < count % wanting.length ? 1 : 0);
      for (const end = next + share; next < end; next++)
        assigned.get(memberId)?.push({ topic, topicPartition: next });
    }
  }
  return assigned;
}
