import type { FaultEntry, HistoryHeader } from '../../model/history.ts';

interface Interval {
  id: string;
  fromNs: number;
  toNs: number;
}

/** Faults of a history as intervals of time. */
export class FaultsInForce {
  readonly intervals: Interval[] = [];
  #open = new Map<string, Interval>();

  take(entry: FaultEntry): void {
    if (entry.event === 'begin') {
      const interval = { id: entry.id, fromNs: entry.timeNs, toNs: Number.POSITIVE_INFINITY };
      this.intervals.push(interval);
      this.#open.set(entry.id, interval);
      return;
    }
    const open = this.#open.get(entry.id);
    if (open !== undefined) open.toNs = entry.timeNs;
    this.#open.delete(entry.id);
  }

  get standing(): number {
    return this.#open.size;
  }

  /** Ids of the faults that were in force at some moment of the interval, each once. */
  during(fromNs: number, toNs: number): string[] {
    const ids = this.intervals
      .filter((interval) => interval.fromNs <= toNs && interval.toNs >= fromNs)
      .map(({ id }) => id);
    return [...new Set(ids)];
  }
}

/**
 * Longest time between two arrivals of one topic-partition that the timetable alone explains, in
 * nanoseconds: three times a round, in which each writer has sent to each of them once, and the quiet part
 * of an idle pattern.
 */
export function expectedPauseNs(
  { parameters, writers }: Pick<HistoryHeader, 'parameters' | 'writers'>,
  places: number,
): number {
  const rate = Number(parameters['rate'] ?? 0);
  const idle = parameters['idle'] as { quietMs?: number } | undefined;
  const quietNs = (idle?.quietMs ?? 0) * 1e6;
  return (rate > 0 ? (3 * places * writers * 1e9) / rate : 0) + quietNs;
}
