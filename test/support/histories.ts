import type {
  FaultEntry,
  HistoryEntry,
  HistoryHeader,
  PollEntry,
} from '../../src/core/model/history.ts';
import type { Run } from '../../src/core/model/operation.ts';

type Type = 'ok' | 'fail' | 'info';

/**
 * Histories written by hand: one topic 't', times one millisecond apart unless set with `at`.
 * Every method adds what happened; `entries` is the history.
 */
export class HistoryWriter {
  readonly entries: HistoryEntry[] = [];
  nowNs = 1e9;
  #index = 0;
  readonly writers: number;

  constructor(options: Partial<HistoryHeader> & { topicPartitions?: number } = {}) {
    this.writers = options.writers ?? 1;
    const { topicPartitions, ...header } = options;
    this.entries.push({
      type: 'header',
      version: 1,
      workload: 'log',
      run: 'test',
      topics: [{ name: 't', topicPartitions: topicPartitions ?? 1 }],
      writers: this.writers,
      readers: 1,
      acks: 'all',
      idempotence: true,
      clock: { monotonicNs: 0, wallMs: 1_000_000 },
      parameters: {},
      ...header,
    });
  }

  at(ms: number): this {
    this.nowNs = ms * 1e6;
    return this;
  }

  add(entry: Record<string, unknown>): number {
    const index = this.#index++;
    this.nowNs += 1e6;
    this.entries.push({ index, timeNs: this.nowNs, ...entry } as unknown as HistoryEntry);
    return index;
  }

  /** One attempt, begun and ended: values first .. first+count-1 of a writer. */
  send(
    type: Type | 'open',
    offset: number,
    first: number,
    count = 1,
    { writer = 0, place = 0, attempt = 1 } = {},
  ): this {
    const value = { topic: 0, topicPartition: place, writer, first, count };
    const base = { process: writer, f: 'send', value, attempt };
    const of = this.add({ ...base, type: 'invoke', broker: 1 });
    if (type === 'open') return this;
    if (type === 'ok') this.add({ ...base, type, of, offset });
    else this.add({ ...base, type, of, error: 'request-timed-out' });
    return this;
  }

  poll(runs: Run[], { place = 0, reader = 0, final = false, extra = {} } = {}): this {
    const from = runs[0]?.[0] ?? 0;
    const last = runs.at(-1);
    const next = last === undefined ? from : last[0] + last[3];
    const value = { topic: 0, topicPartition: place, from, next, end: next, runs, ...extra };
    const entry: Partial<PollEntry> = { type: 'ok', f: 'poll', value, startedNs: this.nowNs };
    if (final) entry.final = true;
    this.add({ ...entry, process: this.writers + reader + (final ? 10 : 0) });
    return this;
  }

  /** A complete final read that saw these runs, of a log from `from` to `to`. */
  final(runs: Run[], from: number, to: number, { place = 0, type = 'ok' } = {}): this {
    const process = this.writers + 10;
    const positions = [{ topic: 0, topicPartition: place, offset: from }];
    this.add({ type: 'ok', process, f: 'assign', positions });
    if (runs.length > 0) this.poll(runs, { place, final: true });
    const range = { topic: 0, topicPartition: place, from, to, reached: to };
    this.add({ type, process, f: 'finalRead', ...range });
    return this;
  }

  fault(event: 'begin' | 'end', id: string): this {
    const entry: Omit<FaultEntry, 'index' | 'timeNs'> = {
      type: 'info',
      process: 'nemesis',
      f: 'fault',
      event,
      id,
      kind: 'noop',
      targets: ['n1'],
    };
    this.add(entry);
    return this;
  }
}
