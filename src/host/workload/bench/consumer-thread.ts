import { Reader, type PolledBatches, type ReaderSettings } from '../../kafka/reader.ts';
import type { ClientConf } from './client-conf.ts';
import type { ReadCounts } from './read-counts.ts';

interface ReadFrom {
  topic: string;
  topicPartition: number;
  position: number;
}

/** One of the readers of a load: reads what it is given, until it has enough. */
export class ConsumerThread {
  readonly clientId: string;
  readonly counts: ReadCounts;
  readonly #conf: ClientConf;
  readonly #settings: ReaderSettings;
  readonly #errors = new Map<string, number>();
  #reader: Reader | undefined;
  /** What it was given last: at the end a status still says it, as Trogdor's does. */
  #assigned: string[] = [];
  #answers = 0;

  constructor(clientId: string, conf: ClientConf, settings: ReaderSettings, counts: ReadCounts) {
    this.clientId = clientId;
    this.counts = counts;
    this.#conf = conf;
    this.#settings = settings;
  }

  /** Whether a broker has ever answered it. */
  get wasAnswered(): boolean {
    return this.#answers + (this.#reader?.answers ?? 0) > 0;
  }

  get errors(): ReadonlyMap<string, number> {
    return this.#reader?.errors ?? this.#errors;
  }

  read(places: readonly ReadFrom[]): void {
    this.#assigned = places.map(({ topic, topicPartition }) => `${topic}-${topicPartition}`);
    this.#reader = new Reader(this.#conf.connect(this.clientId), places, this.#settings, {
      polled: (polled) => this.#polled(polled),
      pollFailed: () => undefined,
      sought: ({ topic, topicPartition }, from, to, why) =>
        console.error(`${topic}-${topicPartition}: from ${from} to ${to}: ${why}`),
    });
    this.#reader.start();
  }

  positions(): ReadFrom[] {
    return (this.#reader?.places ?? []).map(({ topic, topicPartition, position }) => ({
      topic,
      topicPartition,
      position,
    }));
  }

  /** Stops because what it has is taken from it. */
  revoke(): Promise<ReadFrom[]> {
    this.#assigned = [];
    return this.stop();
  }

  /** @returns how far it came. */
  async stop(): Promise<ReadFrom[]> {
    const positions = this.positions();
    const reader = this.#reader;
    this.#reader = undefined;
    this.#answers += reader?.answers ?? 0;
    for (const [name, count] of reader?.errors ?? [])
      this.#errors.set(name, (this.#errors.get(name) ?? 0) + count);
    await reader?.close();
    return positions;
  }

  #polled({ place, from, batches, startedNs }: PolledBatches): void {
    const records = batches.flatMap((batch) => batch.records);
    const read = this.counts.enough.aborted ? 0 : this.#take(records);
    // What is one too many was not read: whoever goes on for this group begins with it.
    const next = records[read];
    if (next) place.position = read === 0 ? from : next.offset;
    const waitMs = this.counts.polled(read, Number(process.hrtime.bigint() - startedNs) / 1e6);
    if (waitMs <= 0) return;
    const untilMs = performance.now() + waitMs;
    for (const one of this.#reader?.places ?? []) one.pausedUntilMs = untilMs;
  }

  /** @returns how many there was room for. */
  #take(records: readonly { key: Buffer | null; value: Buffer | null }[]): number {
    const first = records.findIndex((record) => !this.counts.take(record));
    return first < 0 ? records.length : first;
  }

  get status(): object {
    return { assignedPartitions: this.#assigned, ...this.counts.status };
  }
}
