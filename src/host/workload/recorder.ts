import type { HistoryEntry, HistoryHeader } from '../../core/model/history.ts';
import type { LineFile } from './history-file.ts';

/** A distributive Omit, so that the union of entries stays one. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type NewEntry = Without<Exclude<HistoryEntry, HistoryHeader>, 'index' | 'timeNs'>;

export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}

/** Numbers and times the entries of a history. */
export class Recorder {
  #file: LineFile;
  #next = 0;

  constructor(file: LineFile) {
    this.#file = file;
  }

  header(header: HistoryHeader): void {
    this.#file.append(JSON.stringify(header));
  }

  /** @returns the index of the entry. */
  add(entry: NewEntry): number {
    const index = this.#next++;
    this.#file.append(JSON.stringify({ index, timeNs: monotonicNs(), ...entry }));
    return index;
  }
}
