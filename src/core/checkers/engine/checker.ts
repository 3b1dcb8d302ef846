import type { HistoryEntry, HistoryHeader } from '../../model/history.ts';
import type { AnomalyExample, Availability, Recovery } from '../../model/verdict.ts';
import type { Ledger } from './ledger.ts';
import type { Place } from './place.ts';

export interface CheckContext {
  header: HistoryHeader;
  ledger: Ledger;
  /** Shortest stretch without success that is told as a window. */
  thresholdMs: number;
}

/** Where a checker says what it found. */
export interface Report {
  /** Anomalies of one kind; `examples` are the first few. */
  anomaly(kind: string, count: number, examples: AnomalyExample[]): void;
  /** This checker cannot tell. */
  unknown(reason: string): void;
  availability?: Availability;
  recovery?: Recovery;
}

/** What the ledger notices while it reads rows; only the exceptional is told. */
export interface Notices {
  /** Two values at one offset. */
  conflict?(place: Place, offset: number, first: number, second: number, entry: HistoryEntry): void;
  /** One value at two offsets. */
  second?(place: Place, value: number, first: number, offset: number, entry: HistoryEntry): void;
  /** A value that no send ever began. */
  unsent?(
    place: Place,
    writer: number,
    sequence: number,
    offset: number,
    entry: HistoryEntry,
  ): void;
}

/** A checker at work on one history. */
export interface RunningCheck extends Notices {
  /** Every entry after the ledger has taken it in. `invokedNs`: of the end of a send. */
  entry?(entry: HistoryEntry, place: Place | undefined, invokedNs: number): void;
  finish(report: Report): void;
}

/** A family of anomalies: one file of this folder. */
export interface Checker {
  name: string;
  summary: string;
  /** Kinds of anomaly it reports: a scenario's `checks` may name them, or the checker. */
  kinds: readonly string[];
  begin(context: CheckContext): RunningCheck;
}

/** Counts, and keeps the first few as examples. */
export class Finding {
  count = 0;
  readonly examples: AnomalyExample[] = [];

  add(count: number, example: () => AnomalyExample): void {
    this.count += count;
    if (this.examples.length < 10) this.examples.push(example());
  }

  report(report: Report, kind: string): void {
    if (this.count > 0) report.anomaly(kind, this.count, this.examples);
  }
}
