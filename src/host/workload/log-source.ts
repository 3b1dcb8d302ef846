import type { ValueRange } from '../../core/model/operation.ts';
import type { LogPlan, LogSettings } from '../../core/workloads/log.ts';
import { writePayload, type RunMark } from '../../core/workloads/payload.ts';
import type { BatchSource, OutgoingBatch } from '../kafka/outgoing.ts';
import { encodeBatch, type BatchIdentity, type NewRecord } from '../kafka/record-batch.ts';

/** The clock of the timetable: monotonic ms, and the wall time of the same instant. */
export interface Start {
  monotonicMs: number;
  wallMs: number;
}

const MOST_BYTES = 500_000;

/**
 * What one writer has to send, by the timetable: batches are cut when a request can take them, so they
 * grow when the cluster is slow. Records past their delivery timeout come out as expired ranges.
 */
export class LogSource implements BatchSource<ValueRange> {
  readonly writer: number;
  #plan: LogPlan;
  #settings: LogSettings;
  #run: RunMark;
  #start: Start;
  #taken: number[];
  #most: number;
  /** No arrivals after this many (of all writers): set when the load is to stop. */
  limit = Number.POSITIVE_INFINITY;

  constructor(writer: number, plan: LogPlan, settings: LogSettings, run: RunMark, start: Start) {
    this.writer = writer;
    this.#plan = plan;
    this.#settings = settings;
    this.#run = run;
    this.#start = start;
    this.#taken = Array.from({ length: plan.topicPartitions }, () => 0);
    const fitting = Math.floor(MOST_BYTES / (settings.recordBytes + 20));
    this.#most = Math.max(1, Math.min(settings.batchRecords, fitting));
  }

  #due(nowMs: number): number {
    const elapsedNs = (nowMs - this.#start.monotonicMs) * 1e6;
    return Math.min(this.#plan.arrivals(elapsedNs), this.limit);
  }

  /** Monotonic ms at which a value was to arrive. */
  intendedMs(topicPartition: number, sequence: number): number {
    const arrival = this.#plan.arrivalOf(this.writer, topicPartition, sequence);
    return this.#start.monotonicMs + this.#plan.dueNs(arrival) / 1e6;
  }

  /** Records due and not yet taken. */
  waiting(nowMs: number): number {
    const due = this.#due(nowMs);
    return this.#taken.reduce(
      (sum, taken, place) => sum + this.#plan.share(due, this.writer, place) - taken,
      0,
    );
  }

  take(place: number, nowMs: number): OutgoingBatch<ValueRange> | undefined {
    const first = this.#taken[place] as number;
    const ready = this.#plan.share(this.#due(nowMs), this.writer, place) - first;
    if (ready <= 0) return undefined;
    const oldestMs = this.intendedMs(place, first);
    const count = Math.min(ready, this.#most);
    const full = count === this.#most || this.limit !== Number.POSITIVE_INFINITY;
    if (!full && nowMs - oldestMs < this.#settings.lingerMs) return undefined;
    this.#taken[place] = first + count;
    const range = { topic: 0, topicPartition: place, writer: this.writer, first, count };
    return {
      tag: range,
      count,
      deadlineMs: oldestMs + this.#settings.deliveryTimeoutMs,
      encode: (identity) => this.#encode(range, identity),
    };
  }

  /** Values whose delivery timeout passed before a request could take them. */
  takeExpired(place: number, nowMs: number): ValueRange | undefined {
    const first = this.#taken[place] as number;
    const due = this.#due(nowMs - this.#settings.deliveryTimeoutMs);
    const count = this.#plan.share(due, this.writer, place) - first;
    if (count <= 0) return undefined;
    this.#taken[place] = first + count;
    return { topic: 0, topicPartition: place, writer: this.writer, first, count };
  }

  #encode(range: ValueRange, identity: BatchIdentity): Buffer {
    const { recordBytes } = this.#settings;
    const values = Buffer.allocUnsafe(recordBytes * range.count);
    const records: NewRecord[] = [];
    for (let index = 0; index < range.count; index++) {
      const value = values.subarray(index * recordBytes, (index + 1) * recordBytes);
      writePayload(value, this.#run, range, index);
      const dueMs = this.intendedMs(range.topicPartition, range.first + index);
      const timestampMs = Math.floor(this.#start.wallMs + dueMs - this.#start.monotonicMs);
      records.push({ value, timestampMs });
    }
    return encodeBatch(records, identity);
  }
}
