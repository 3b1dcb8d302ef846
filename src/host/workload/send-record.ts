import type { ValueRange } from '../../core/model/operation.ts';
import type { Attempt, OutgoingBatch, SendObserver } from '../kafka/outgoing.ts';
import type { LogSource } from './log-source.ts';
import type { Recorder } from './recorder.ts';
import type { Tally } from './tally.ts';

/** Writes every attempt of one writer into the history, and counts records. */
export class SendRecord implements SendObserver<ValueRange> {
  #recorder: Recorder;
  #tally: Tally;
  #source: LogSource;

  constructor(recorder: Recorder, tally: Tally, source: LogSource) {
    this.#recorder = recorder;
    this.#tally = tally;
    this.#source = source;
  }

  begin(batch: OutgoingBatch<ValueRange>, attempt: number, broker: number): number {
    const { tag } = batch;
    const process = tag.writer;
    return this.#recorder.add({ type: 'invoke', process, f: 'send', value: tag, attempt, broker });
  }

  end(batch: OutgoingBatch<ValueRange>, attempt: number, of: number, result: Attempt): void {
    const { tag: value } = batch;
    const { outcome: type, offset, error } = result;
    const base = { type, process: value.writer, f: 'send', of, value, attempt } as const;
    const told = type === 'ok' ? { ...base, offset } : base;
    this.#recorder.add(error === undefined ? told : { ...told, error });
    if (type === 'ok') this.#latency(value);
  }

  #latency(value: ValueRange): void {
    const nowMs = performance.now();
    for (let index = 0; index < value.count; index++) {
      const dueMs = this.#source.intendedMs(value.topicPartition, value.first + index);
      this.#tally.latency((nowMs - dueMs) * 1_000);
    }
  }

  settled(batch: OutgoingBatch<ValueRange>, as: 'acknowledged' | 'failed' | 'unknown'): void {
    this.#tally.totals[as] += batch.count;
  }

  /** Values no request could take before their deadline: they were certainly not sent. */
  expired(value: ValueRange): void {
    const process = value.writer;
    const invoke = { type: 'invoke', process, f: 'send', value, attempt: 0, broker: -1 } as const;
    const of = this.#recorder.add(invoke);
    const error = 'expired-in-queue';
    this.#recorder.add({ type: 'fail', process, f: 'send', of, value, attempt: 0, error });
    this.#tally.totals.failed += value.count;
  }

  note(note: string): void {
    this.#recorder.add({ type: 'info', process: this.#source.writer, f: 'note', note });
  }
}
