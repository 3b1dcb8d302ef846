import type { ConsumerMember } from '../../src/host/kafka/consumer-member.ts';
import type { GroupPositions, GroupReader } from '../../src/host/kafka/group-member.ts';

/** Says of everything it is given, and nobody has read yet, that it has read so far. */
export const READ_TO = 7;

/** A reader that reads nothing: it remembers what a member of a group gives it. */
export class GivenPlaces implements GroupReader {
  #places: GroupPositions[] = [];
  /** Where each was begun when it was given last. */
  readonly begun = new Map<string, number>();

  assigned(places: GroupPositions[]): Promise<void> {
    for (const { topic, topicPartition, position } of places)
      this.begun.set(`${topic}-${topicPartition}`, position);
    this.#places = places.map((place) => ({
      ...place,
      position: place.position < 0 ? READ_TO : place.position,
    }));
    return Promise.resolve();
  }

  positions(): GroupPositions[] {
    return this.#places;
  }

  revoked(): Promise<GroupPositions[]> {
    const had = this.#places;
    this.#places = [];
    return Promise.resolve(had);
  }

  get names(): string[] {
    return this.#places.map(({ topic, topicPartition }) => `${topic}-${topicPartition}`).toSorted();
  }
}

/** @returns ends it: it commits, and leaves. */
export function runMember(member: ConsumerMember): () => Promise<void> {
  const ending = new AbortController();
  const running = member.run(ending.signal);
  return () => {
    ending.abort();
    return running;
  };
}
