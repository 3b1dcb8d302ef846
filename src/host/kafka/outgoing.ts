import type { BatchIdentity } from './record-batch.ts';

/** A batch the source wants written; the same object through all its attempts. */
export interface OutgoingBatch<Tag> {
  tag: Tag;
  count: number;
  /** About as many as it has encoded; told by who gathers. */
  bytes?: number;
  /** Monotonic ms after which no further attempt begins. */
  deadlineMs: number;
  encode(identity: BatchIdentity): Buffer;
}

export interface BatchSource<Tag> {
  /** The next batch of this topic-partition (index into `places`), or undefined where none is due. */
  take(place: number, nowMs: number): OutgoingBatch<Tag> | undefined;
}

export interface Attempt {
  outcome: 'ok' | 'fail' | 'info';
  /** Of the first record; -1: not told. */
  offset: number;
  error?: string;
}

/** Where every attempt is written down. */
export interface SendObserver<Tag> {
  /** Called before the first byte leaves. @returns a mark handed back at the end. */
  begin(batch: OutgoingBatch<Tag>, attempt: number, broker: number): number;
  end(batch: OutgoingBatch<Tag>, attempt: number, mark: number, result: Attempt): void;
  /** No further attempt of it. */
  settled(batch: OutgoingBatch<Tag>, as: 'acknowledged' | 'failed' | 'unknown'): void;
  note(text: string): void;
}

export interface ProducerSettings {
  acks: 'all' | '1' | '0';
  idempotence: boolean;
  retries: number;
  retryBackoffMs: number;
  requestTimeoutMs: number;
  /** Unsettled batches of one topic-partition: at most 5, what a broker remembers of a producer. */
  inFlight: number;
  /** Requests in flight a broker; default 5. */
  perBroker?: number;
  /**
   * A request holds a batch of every topic-partition of its broker that has one, as KafkaProducer's do;
   * otherwise one batch, so that an attempt is a request.
   */
  gathers?: boolean;
  /** The transactional id all batches belong to, with what the coordinator gave for it. */
  transaction?: { id: string; producerId: number; producerEpoch: number };
}
