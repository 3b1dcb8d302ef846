import { Failure } from '../../../core/base/failure.ts';
import { BatchBuilder, type Compression } from '../../kafka/batch-builder.ts';
import type { ClusterConnections } from '../../kafka/cluster-connections.ts';
import type {
  BatchSource,
  OutgoingBatch,
  ProducerSettings,
  SendObserver,
} from '../../kafka/outgoing.ts';
import { Producer } from '../../kafka/producer.ts';
import type { ClientConf } from './client-conf.ts';
import { Timings } from './timings.ts';

/** Of what KafkaProducer can be told, what has an effect here. */
export const PRODUCER_CONF: ReadonlySet<string> = new Set([
  'acks',
  'enable.idempotence',
  'linger.ms',
  'batch.size',
  'buffer.memory',
  'compression.type',
  'retries',
  'retry.backoff.ms',
  'delivery.timeout.ms',
  'max.in.flight.requests.per.connection',
  'max.block.ms',
  'transaction.timeout.ms',
]);

const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const BUFFER_BYTES = 16 * 1024 * 1024;
const LAST_WORD_MS = 5_000;

export interface LoadPlace {
  topic: string;
  topicPartition: number;
}

interface Queue {
  open: BatchBuilder | undefined;
  openedMs: number;
  ready: BatchBuilder[];
}

interface LoadOptions {
  connections: ClusterConnections;
  places: readonly LoadPlace[];
  conf: ClientConf;
  transaction?: NonNullable<ProducerSettings['transaction']>;
  /** Every batch, once its fate is known. */
  onSettled?(batch: BatchBuilder, place: number, acknowledged: boolean): void;
}

type Queued = OutgoingBatch<BatchBuilder>;

/** Records on their way to a cluster: gathered into batches, sent, counted and timed. */
export class ProducerLoad implements BatchSource<BatchBuilder>, SendObserver<BatchBuilder> {
  readonly #options: LoadOptions;
  readonly #producer: Producer<BatchBuilder>;
  readonly #queues: Queue[];
  readonly #places = new WeakMap<BatchBuilder, number>();
  readonly #free: Buffer[] = [];
  readonly #retried = new WeakSet<BatchBuilder>();
  readonly #batchBytes: number;
  readonly #bufferBytes: number;
  readonly #lingerMs: number;
  readonly #deliveryMs: number;
  readonly #compression: Compression;
  #heldBytes = 0;
  #queued = 0;
  #isFlushing = false;
  #wake: (() => void) | undefined;
  readonly timings = new Timings();
  made = 0;
  acknowledged = 0;
  failed = 0;

  /** @throws Failure `bad-client-conf`. */
  constructor(options: LoadOptions) {
    const { conf, places, connections } = options;
    this.#options = options;
    this.#queues = places.map(() => ({ open: undefined, openedMs: 0, ready: [] }));
    this.#batchBytes = Math.max(512, conf.whole('batch.size', 16_384));
    this.#bufferBytes = Math.max(this.#batchBytes, conf.whole('buffer.memory', BUFFER_BYTES));
    this.#lingerMs = conf.whole('linger.ms', 5);
    this.#deliveryMs = conf.whole('delivery.timeout.ms', 120_000);
    const compression = conf.text('compression.type', 'none');
    const known = COMPRESSIONS.find((one) => one === compression);
    if (!known) throw badConf('compression.type', compression);
    this.#compression = known;
    const settings = producerSettings(conf, options.transaction);
    this.#producer = new Producer<BatchBuilder>(connections, places, settings, this, this);
  }

  start(): void {
    this.#producer.start();
  }

  /** Whether another record may be appended now. */
  get hasRoom(): boolean {
    return this.#heldBytes < this.#bufferBytes;
  }

  /** Records whose fate is not known. */
  get unsettled(): number {
    return this.made - this.acknowledged - this.failed;
  }

  append(
    place: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    nowMs: number,
    tag?: number,
  ): void {
    const queue = this.#queues[place] as Queue;
    const [keyBytes, valueBytes] = [key?.length ?? 0, value?.length ?? 0];
    if (queue.open && !queue.open.fits(keyBytes, valueBytes)) {
      queue.ready.push(queue.open);
      queue.open = undefined;
    }
    if (!queue.open) {
      queue.open = this.#builder(keyBytes, valueBytes);
      queue.openedMs = nowMs;
      this.#places.set(queue.open, place);
      this.#queued++;
    }
    queue.open.append(key, value, timestampMs, nowMs, tag);
    this.made++;
  }

  #builder(keyBytes: number, valueBytes: number): BatchBuilder {
    const bytes = BatchBuilder.bytesFor(this.#batchBytes, keyBytes, valueBytes);
    this.#heldBytes += bytes;
    const free = bytes === this.#batchBytes ? this.#free.pop() : undefined;
    return new BatchBuilder(free ?? Buffer.allocUnsafeSlow(bytes));
  }

  /** Sends what is due. */
  pump(): void {
    this.#producer.pump();
  }

  take(place: number, nowMs: number): Queued | undefined {
    const queue = this.#queues[place] as Queue;
    let batch = queue.ready.shift();
    if (!batch && queue.open) {
      const isDue = nowMs - queue.openedMs >= this.#lingerMs;
      if (!isDue && !this.#isFlushing && this.hasRoom) return undefined;
      batch = queue.open;
      queue.open = undefined;
    }
    if (!batch) return undefined;
    this.#queued--;
    const builder = batch;
    const transactional = this.#options.transaction !== undefined;
    return {
      tag: builder,
      count: builder.count,
      bytes: builder.bytes,
      deadlineMs: (builder.times[0] ?? nowMs) + this.#deliveryMs,
      encode: (identity) => builder.encode({ ...identity, transactional }, this.#compression),
    };
  }

  begin(): number {
    return 0;
  }

  end({ tag: batch }: Queued, attempt: number): void {
    // A connection that was given up may still hold the bytes of an earlier attempt.
    if (attempt > 1) this.#retried.add(batch);
  }

  settled({ tag: batch, count }: Queued, as: 'acknowledged' | 'failed' | 'unknown'): void {
    const acknowledged = as === 'acknowledged';
    this.#heldBytes -= batch.buffer.length;
    if (acknowledged) {
      this.acknowledged += count;
      const nowMs = performance.now();
      for (const sinceMs of batch.times) this.timings.add(nowMs - sinceMs);
      const isFree = batch.buffer.length === this.#batchBytes && !this.#retried.has(batch);
      if (isFree) this.#free.push(batch.buffer);
    } else this.failed += count;
    this.#options.onSettled?.(batch, this.#places.get(batch) ?? 0, acknowledged);
    this.#wake?.();
  }

  note(text: string): void {
    console.error(text);
  }

  /** Until a batch is settled, or the end. */
  async changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Sends everything, and waits until the fate of all of it is known, or the end. */
  async flush(signal: AbortSignal): Promise<void> {
    this.#isFlushing = true;
    try {
      this.pump();
      while (!signal.aborted && (this.#queued > 0 || this.unsettled > 0))
        await this.changed(signal);
    } finally {
      this.#isFlushing = false;
    }
  }

  /** After the load: what is on its way gets a moment more, whoever asked for the end. */
  lastWord(): Promise<void> {
    return this.flush(AbortSignal.timeout(LAST_WORD_MS));
  }

  /** Why records failed, or are late: errors of attempts by name; where there was none, what it waits for. */
  get troubles(): string {
    const said = [...this.#producer.errors].map(([name, count]) => `${name} (${count})`);
    return said.length > 0 ? said.join(', ') : this.#producer.state;
  }

  /** Why a load that is over counts as failed; undefined: everything that was sent was written. */
  get verdict(): string | undefined {
    const { made, failed, unsettled, acknowledged } = this;
    if (failed > 0) return `${failed} of ${made} records were not written: ${this.troubles}`;
    if (unsettled > 0)
      return `of ${made} records ${unsettled} were not acknowledged in time: ${this.troubles}`;
    if (made > 0 && acknowledged === 0) return `nothing was written: ${this.troubles}`;
    return undefined;
  }

  close(): void {
    this.#producer.close();
  }
}

function badConf(name: string, found: string): Failure {
  return new Failure('bad-client-conf', `${name}: '${found}' is not supported`, { definite: true });
}

function producerSettings(
  conf: ClientConf,
  transaction: ProducerSettings['transaction'],
): ProducerSettings {
  const given = conf.text('acks', 'all');
  const acks = given === '-1' ? 'all' : given;
  if (acks !== 'all' && acks !== '1' && acks !== '0') throw badConf('acks', given);
  const idempotence = conf.text('enable.idempotence', `${acks === 'all'}`) === 'true';
  if (idempotence && acks !== 'all')
    throw badConf('enable.idempotence', 'true with acks other than all');
  const inFlight = Math.min(5, Math.max(1, conf.whole('max.in.flight.requests.per.connection', 5)));
  const settings: ProducerSettings = {
    acks,
    idempotence,
    retries: conf.whole('retries', 2_147_483_647),
    retryBackoffMs: conf.whole('retry.backoff.ms', 100),
    requestTimeoutMs: conf.whole('request.timeout.ms', 30_000),
    inFlight,
    perBroker: inFlight,
    gathers: true,
  };
  return transaction ? { ...settings, transaction } : settings;
}
