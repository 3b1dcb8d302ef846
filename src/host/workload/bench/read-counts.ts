import type { RecordProcessorSpec } from '../../../core/workloads/bench/consume-bench.ts';
import { Timings } from './timings.ts';

interface CountsOptions {
  /** Records a second; not above 0: no limit. */
  perSecond: number;
  maxMessages: number;
  processor?: RecordProcessorSpec | undefined;
}

/** What one reader of a load has read: how many, how large, how long it took, how old it was. */
export class ReadCounts {
  readonly #options: CountsOptions;
  readonly #timings = new Timings();
  readonly #ages = new Timings();
  readonly #enough = new AbortController();
  #messages = 0;
  #bytes = 0;
  #paceMs = performance.now();

  constructor(options: CountsOptions) {
    this.#options = options;
    if (options.maxMessages <= 0) this.#enough.abort();
  }

  /** Aborted when all that should be read was read. */
  get enough(): AbortSignal {
    return this.#enough.signal;
  }

  /** @returns false: it is one too many. */
  take({ key, value }: { key: Buffer | null; value: Buffer | null }): boolean {
    if (this.#messages >= this.#options.maxMessages) return false;
    this.#messages++;
    this.#bytes += (key?.length ?? 0) + (value?.length ?? 0);
    const { processor } = this.#options;
    if (processor && value !== null && value.length >= 8) this.#age(processor, value);
    return true;
  }

  #age({ histogramMinMs, histogramMaxMs, histogramStepMs }: RecordProcessorSpec, value: Buffer) {
    const ageMs = Date.now() - Number(value.readBigInt64LE(0));
    const within = Math.min(Math.max(ageMs, histogramMinMs), histogramMaxMs);
    const steps = Math.floor((within - histogramMinMs) / histogramStepMs);
    this.#ages.add(histogramMinMs + steps * histogramStepMs);
  }

  /**
   * Some were read at once. As much time as they may have is waited for, so that the rate holds over time.
   * @returns ms to wait before more are asked for.
   */
  polled(records: number, tookMs: number): number {
    if (records > 0) this.#timings.add(tookMs);
    const waitMs = this.#waitMs(records);
    if (this.#messages < this.#options.maxMessages) return waitMs;
    // The last ones have their time, too: one fetch may be all there is to read.
    if (waitMs > 0) setTimeout(() => this.#enough.abort(), waitMs).unref();
    else this.#enough.abort();
    return waitMs;
  }

  #waitMs(records: number): number {
    const { perSecond } = this.#options;
    if (perSecond <= 0) return 0;
    const nowMs = performance.now();
    this.#paceMs = Math.max(this.#paceMs, nowMs - 1_000) + (records * 1_000) / perSecond;
    return Math.max(0, this.#paceMs - nowMs);
  }

  get status(): object {
    return {
      totalMessagesReceived: this.#messages,
      totalBytesReceived: this.#bytes,
      averageMessageSizeBytes: this.#messages === 0 ? 0 : Math.floor(this.#bytes / this.#messages),
      ...this.#timings.status,
      ...(this.#options.processor ? { recordProcessorStatus: this.#ages.status } : {}),
    };
  }
}
