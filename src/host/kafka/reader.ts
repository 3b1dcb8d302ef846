import { Failure, reasonOf } from '../../core/base/failure.ts';
import { committedBatches, withoutControl } from './aborted.ts';
import { EARLIEST, errorName, LATEST, listOffset } from './admin.ts';
import type { ClusterConnections } from './cluster-connections.ts';
import { fetchRecords, type FetchedTopicPartition } from './fetch-request.ts';
import { Leaders } from './leaders.ts';
import { damageOf, decodeBatches, type ReadBatch } from './record-batch.ts';

export interface ReadPlace {
  topic: string;
  topicPartition: number;
  /** Offset of the next record; -1: the log start, to be asked for. */
  position: number;
  pausedUntilMs: number;
  /** Where to stop; undefined: never. */
  until?: number | undefined;
  /** What was told of bytes that bring it no further, and where it stood then. */
  stuck?: { position: number; why: string };
}

export interface PolledBatches {
  place: ReadPlace;
  startedNs: bigint;
  from: number;
  next: number;
  highWatermark: number;
  logStart: number;
  /** What the isolation level lets through; CRCs computed, not enforced. */
  batches: ReadBatch[];
  /** Why the bytes at `from` are no batch at all, where they are none. */
  damage?: string;
}

/** Where everything a reader sees is written down. */
export interface PollObserver {
  polled(polled: PolledBatches): void;
  pollFailed(place: ReadPlace, startedNs: bigint, error: string): void;
  sought(place: ReadPlace, from: number, to: number, why: string): void;
}

export interface ReaderSettings {
  readCommitted: boolean;
  /** A fetch waits for this many bytes or this long. */
  minBytes: number;
  maxWaitMs: number;
  backoffMs: number;
  /** Of one answer, and of each topic-partition in it; defaults of 16 MiB and 2 MiB. */
  mostBytes?: number;
  mostBytesAPlace?: number;
}

const MOST_BYTES = 16 * 1024 * 1024;
const MOST_BYTES_A_PLACE = 2 * 1024 * 1024;

/**
 * Reads topic-partitions from assigned positions; one loop and one connection a leader, one fetch in
 * flight on it. Positions move only over batches that were received; a position out of range is
 * moved to the nearest end of the log and told as a seek.
 */
export class Reader {
  readonly places: ReadPlace[];
  #connections: ClusterConnections;
  #settings: ReaderSettings;
  #observer: PollObserver;
  #leaders: Leaders;
  #loops = new Map<number, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly errors = new Map<string, number>();
  /** Fetches that were answered, with records or without. */
  answers = 0;

  constructor(
    connections: ClusterConnections,
    places: readonly { topic: string; topicPartition: number; position: number }[],
    settings: ReaderSettings,
    observer: PollObserver,
  ) {
    this.#connections = connections;
    this.#settings = settings;
    this.#observer = observer;
    this.places = places.map((place) => ({ ...place, pausedUntilMs: 0 }));
    const topics = [...new Set(places.map(({ topic }) => topic))];
    this.#leaders = new Leaders(connections, topics, () => this.#wake());
  }

  start(): void {
    this.#leaders.start();
    this.#timer = setInterval(() => this.#wake(), 50);
  }

  #wanted(broker: number): ReadPlace[] {
    const nowMs = performance.now();
    return this.places.filter(
      (place) =>
        nowMs >= place.pausedUntilMs &&
        (place.until === undefined || place.position < place.until) &&
        this.#leaders.of(place.topic, place.topicPartition).broker === broker,
    );
  }

  #wake(): void {
    if (this.#closed) return;
    const brokers = this.places.map(
      ({ topic, topicPartition }) => this.#leaders.of(topic, topicPartition).broker,
    );
    for (const broker of new Set(brokers)) {
      if (broker < 0 || this.#loops.has(broker) || this.#wanted(broker).length === 0) continue;
      const loop = this.#loop(broker).finally(() => this.#loops.delete(broker));
      this.#loops.set(broker, loop);
    }
  }

  async #loop(broker: number): Promise<void> {
    for (;;) {
      const places = this.#wanted(broker);
      if (this.#closed || places.length === 0) return;
      const startedNs = process.hrtime.bigint();
      try {
        await this.#locate(broker, places);
        await this.#fetch(broker, places, startedNs);
      } catch (error) {
        this.#failed(places, startedNs, error);
      }
    }
  }

  #failed(places: readonly ReadPlace[], startedNs: bigint, error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    if (this.#closed) return;
    for (const place of places) this.#pause(place, startedNs, error.code);
  }

  #pause(place: ReadPlace, startedNs: bigint, error: string): void {
    this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
    place.pausedUntilMs = performance.now() + this.#settings.backoffMs;
    this.#observer.pollFailed(place, startedNs, error);
    this.#leaders.refresh();
  }

  /** Finds the log start for places that begin there. */
  async #locate(broker: number, places: readonly ReadPlace[]): Promise<void> {
    for (const place of places) {
      if (place.position >= 0) continue;
      place.position = await this.#offset(broker, place, EARLIEST);
    }
  }

  async #offset(broker: number, place: ReadPlace, which: bigint): Promise<number> {
    const connection = await this.#connections.to(broker);
    const { topic, topicPartition } = place;
    return listOffset(connection, topic, topicPartition, which, this.#settings.readCommitted);
  }

  async #fetch(broker: number, places: ReadPlace[], startedNs: bigint): Promise<void> {
    const connection = await this.#connections.to(broker);
    const { maxWaitMs, minBytes, readCommitted } = this.#settings;
    const topics = [...new Set(places.map(({ topic }) => topic))].map((topic) => ({
      topicId: topic,
      partitions: places
        .filter((place) => place.topic === topic)
        .map((place) => ({
          partition: place.topicPartition,
          currentLeaderEpoch: this.#leaders.of(topic, place.topicPartition).epoch,
          fetchOffset: BigInt(place.position),
          lastFetchedEpoch: -1,
          partitionMaxBytes: this.#settings.mostBytesAPlace ?? MOST_BYTES_A_PLACE,
        })),
    }));
    const level = readCommitted ? 1 : 0;
    const api = fetchRecords;
    const answer = await connection.call(
      api,
      maxWaitMs,
      minBytes,
      this.#settings.mostBytes ?? MOST_BYTES,
      level,
      0,
      -1,
      topics,
      [],
      '',
    );
    if (answer.errorCode !== 0) {
      const code = errorName(answer.errorCode);
      throw new Failure(code, `fetch: ${code}`, { definite: true });
    }
    this.answers++;
    for (const place of places) {
      const fetched = answer.topicPartitions.find(
        (one) => one.topic === place.topic && one.topicPartition === place.topicPartition,
      );
      if (fetched === undefined) continue;
      try {
        await this.#take(broker, place, fetched, startedNs);
      } catch (error) {
        // What one topic-partition has is no reason to pass over what the answer brought of others.
        this.#failed([place], startedNs, error);
      }
    }
  }

  async #take(
    broker: number,
    place: ReadPlace,
    fetched: FetchedTopicPartition,
    startedNs: bigint,
  ): Promise<void> {
    const code = fetched.errorCode === 0 ? undefined : errorName(fetched.errorCode);
    if (code === 'OFFSET_OUT_OF_RANGE') {
      await this.#seek(broker, place);
      return;
    }
    if (code !== undefined) {
      this.#pause(place, startedNs, code);
      return;
    }
    if (fetched.records.length === 0) return;
    const all = decodeBatches(fetched.records);
    const from = place.position;
    place.position = Math.max(from, (all.at(-1)?.lastOffset ?? -1) + 1);
    const damage = all.length === 0 ? damageOf(fetched.records) : undefined;
    if (place.position === from && !this.#stuck(place, damage)) return;
    this.#observer.polled({
      ...(damage === undefined ? {} : { damage }),
      place,
      startedNs,
      from,
      next: place.position,
      highWatermark: fetched.highWatermark,
      logStart: fetched.logStartOffset,
      batches: this.#settings.readCommitted
        ? committedBatches(all, fetched.aborted)
        : withoutControl(all),
    });
  }

  /** One that is stuck is asked for again, but not at once. @returns whether that is news. */
  #stuck(place: ReadPlace, damage: string | undefined): boolean {
    const { position } = place;
    place.pausedUntilMs = performance.now() + this.#settings.backoffMs;
    const isNews = place.stuck?.position !== position;
    place.stuck = { position, why: damage ?? 'its offsets are below those asked for' };
    return isNews;
  }

  async #seek(broker: number, place: ReadPlace): Promise<void> {
    const from = place.position;
    const start = await this.#offset(broker, place, EARLIEST);
    const end = await this.#offset(broker, place, LATEST);
    place.position = from > end ? end : Math.max(from, start);
    if (place.position === from) {
      // In range after all: the leader is behind what another one showed us; wait for it.
      place.pausedUntilMs = performance.now() + this.#settings.backoffMs;
      return;
    }
    const why = from > end ? `the log ends at ${end}` : `the log starts at ${start}`;
    this.#observer.sought(place, from, place.position, why);
  }

  /**
   * Log start and end of a place, asked at its leader until it answers.
   * @throws Failure `no-offsets` after the deadline (monotonic ms).
   */
  async range(place: ReadPlace, deadlineMs: number): Promise<{ start: number; end: number }> {
    let reason = 'no leader';
    while (performance.now() < deadlineMs && !this.#closed) {
      const { broker } = this.#leaders.of(place.topic, place.topicPartition);
      try {
        const start = await this.#offset(broker, place, EARLIEST);
        return { start, end: await this.#offset(broker, place, LATEST) };
      } catch (error) {
        // Asked again until the deadline; the last reason is told then.
        reason = reasonOf(error);
        this.#leaders.refresh();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const message = `no offsets of ${place.topic}-${place.topicPartition}: ${reason}`;
    throw new Failure('no-offsets', message, { definite: true });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#leaders.close();
    this.#connections.close();
    await Promise.allSettled(this.#loops.values());
  }
}
