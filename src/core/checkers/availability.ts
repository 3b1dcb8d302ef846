import type { HistoryEntry } from '../model/history.ts';
import type { UnavailabilityWindow } from '../model/verdict.ts';
import type { Checker, CheckContext, Report } from './engine/checker.ts';
import { expectedPauseNs, FaultsInForce } from './engine/faults-in-force.ts';
import type { Place } from './engine/place.ts';

const KEPT = 2_000;
const TOLD = 200;

class Windows {
  readonly #context: CheckContext;
  readonly #sendPauseNs: number;
  readonly #pollPauseNs: number;
  readonly #lastSend = new Map<Place, number>();
  readonly #unread = new Map<Place, number>();
  readonly faults = new FaultsInForce();
  #windows: UnavailabilityWindow[] = [];
  #count = 0;
  #longest = { send: 0, poll: 0 };
  #firstInvokeNs = -1;
  #lastInvokeNs = -1;
  #lastNs = -1;

  constructor(context: CheckContext) {
    const { header, ledger, thresholdMs } = context;
    this.#context = context;
    this.#pollPauseNs = thresholdMs * 1e6;
    const pauseNs = expectedPauseNs(header, ledger.places.length);
    this.#sendPauseNs = Math.max(this.#pollPauseNs, pauseNs);
  }

  take(entry: HistoryEntry, place: Place | undefined): void {
    if (entry.type === 'header') return;
    if (entry.process === 'nemesis') {
      this.faults.take(entry);
      return;
    }
    const { timeNs } = entry;
    this.#lastNs = timeNs;
    if (place === undefined) return;
    if (entry.f === 'send') {
      if (entry.type === 'invoke') {
        if (this.#firstInvokeNs < 0) this.#firstInvokeNs = timeNs;
        this.#lastInvokeNs = timeNs;
      } else if (entry.type === 'ok') {
        this.#success('send', place, this.#lastSend.get(place) ?? this.#firstInvokeNs, timeNs);
        this.#lastSend.set(place, timeNs);
        if (!this.#unread.has(place)) this.#unread.set(place, timeNs);
      }
    } else if (entry.f === 'poll' && (entry.value?.runs.length ?? 0) > 0) {
      const sinceNs = this.#unread.get(place);
      if (sinceNs !== undefined) this.#success('poll', place, sinceNs, timeNs);
      this.#unread.delete(place);
    }
  }

  #success(kind: 'send' | 'poll', place: Place, fromNs: number, toNs: number, open = false): void {
    const pauseNs = kind === 'send' ? this.#sendPauseNs : this.#pollPauseNs;
    if (toNs - fromNs < pauseNs) return;
    this.#count++;
    this.#longest[kind] = Math.max(this.#longest[kind], (toNs - fromNs) / 1e6);
    const { name: topic, topicPartition } = place;
    this.#windows.push({ kind, topic, topicPartition, fromNs, toNs, open, faults: [] });
    if (this.#windows.length > 2 * KEPT) this.#keepLongest(KEPT);
  }

  #keepLongest(most: number): void {
    this.#windows.sort((a, b) => b.toNs - b.fromNs - (a.toNs - a.fromNs));
    this.#windows.length = Math.min(this.#windows.length, most);
  }

  finish(report: Report): void {
    for (const place of this.#context.ledger.places) {
      const fromNs = this.#lastSend.get(place) ?? this.#firstInvokeNs;
      if (fromNs >= 0) this.#success('send', place, fromNs, this.#lastInvokeNs, true);
      const unreadNs = this.#unread.get(place);
      if (unreadNs !== undefined && this.#context.header.readers > 0) {
        this.#success('poll', place, unreadNs, this.#lastNs, true);
      }
    }
    this.#keepLongest(KEPT);
    for (const window of this.#windows) {
      window.faults = this.faults.during(window.fromNs, window.toNs);
    }
    const withoutFault = this.#windows.filter(({ faults }) => faults.length === 0).length;
    this.#keepLongest(TOLD);
    report.availability = {
      thresholdMs: this.#context.thresholdMs,
      windows: this.#windows.sort((a, b) => a.fromNs - b.fromNs),
      count: this.#count,
      longestSendMs: Math.round(this.#longest.send),
      longestPollMs: Math.round(this.#longest.poll),
      withoutFault,
    };
  }
}

/** Stretches without success while there was something to do. They are told, not judged. */
export const availability: Checker = {
  name: 'availability',
  summary: 'When sends and reads did not succeed, and which faults were in force then.',
  kinds: [],
  begin(context) {
    const windows = new Windows(context);
    return {
      entry: (entry, place) => windows.take(entry, place),
      finish: (report) => windows.finish(report),
    };
  },
};
