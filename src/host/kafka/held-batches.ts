import type { OutgoingBatch } from './outgoing.ts';

/** A batch whose fate is not settled yet. */
export interface Held<Tag> {
  batch: OutgoingBatch<Tag>;
  bytes: Buffer | undefined;
  sequence: number;
  attempts: number;
  sending: boolean;
  /** Where and since when (monotonic ms) it is being sent. */
  broker: number;
  sinceMs: number;
  /** An attempt of it ended as `info`. */
  maybe: boolean;
}

/** A topic-partition, and its batches in the order of their sequences. */
export interface Place<Tag> {
  topic: string;
  topicPartition: number;
  held: Held<Tag>[];
  nextSequence: number;
  pausedUntilMs: number;
}

/** A batch that leaves now. */
export interface Leaving<Tag> {
  place: Place<Tag>;
  held: Held<Tag>;
}

/** What one broker gets at once. */
export interface Request<Tag> {
  broker: number;
  batches: Leaving<Tag>[];
  bytes: number;
}

/** Of a sequence there are 2^31, then it begins again at 0 (KIP-98). */
const SEQUENCES = 2 ** 31;

export function newPlace<Tag>(place: { topic: string; topicPartition: number }): Place<Tag> {
  return { ...place, held: [], nextSequence: 0, pausedUntilMs: 0 };
}

/** Takes a batch in, behind those that are there. */
export function hold<Tag>(
  place: Place<Tag>,
  batch: OutgoingBatch<Tag>,
  idempotence: boolean,
): Held<Tag> {
  const held: Held<Tag> = {
    batch,
    bytes: undefined,
    sequence: idempotence ? takeSequence(place, batch.count) : -1,
    attempts: 0,
    sending: false,
    broker: -1,
    sinceMs: 0,
    maybe: false,
  };
  place.held.push(held);
  return held;
}

/** Gives what is held sequences from 0 again, as a new producer id begins; it is encoded anew. */
export function renumber<Tag>(place: Place<Tag>, idempotence: boolean): void {
  place.nextSequence = 0;
  for (const held of place.held) {
    held.bytes = undefined;
    held.sequence = idempotence ? takeSequence(place, held.batch.count) : -1;
  }
}

function takeSequence<Tag>(place: Place<Tag>, count: number): number {
  const sequence = place.nextSequence;
  place.nextSequence = (sequence + count) % SEQUENCES;
  return sequence;
}
