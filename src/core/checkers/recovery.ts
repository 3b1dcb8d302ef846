import type { HistoryEntry } from '../model/history.ts';
import type { Recovery } from '../model/verdict.ts';
import { Finding, type Checker, type CheckContext, type Report } from './engine/checker.ts';
import { expectedPauseNs, FaultsInForce } from './engine/faults-in-force.ts';
import type { Place } from './engine/place.ts';

/** A topic-partition that was silent for less than this after healing is not judged. */
const PATIENCE_NS = 5e9;

class AfterHeal {
  readonly #context: CheckContext;
  readonly #faults = new FaultsInForce();
  readonly #sent = new Map<Place, number>();
  readonly #polled = new Map<Place, number>();
  #healedNs: number | undefined;
  #lastInvokeNs = -1;

  constructor(context: CheckContext) {
    this.#context = context;
  }

  take(entry: HistoryEntry, place: Place | undefined, invokedNs: number): void {
    if (entry.type === 'header') return;
    if (entry.process === 'nemesis') {
      this.#faults.take(entry);
      this.#healedNs = this.#faults.standing === 0 ? entry.timeNs : undefined;
      this.#sent.clear();
      this.#polled.clear();
      return;
    }
    if (entry.f === 'send' && entry.type === 'invoke') this.#lastInvokeNs = entry.timeNs;
    const healedNs = this.#healedNs;
    if (healedNs === undefined || place === undefined) return;
    if (entry.f === 'send' && entry.type === 'ok' && invokedNs >= healedNs) {
      if (!this.#sent.has(place)) this.#sent.set(place, entry.timeNs - healedNs);
    } else if (entry.f === 'poll' && entry.final !== true && this.#sent.has(place)) {
      if ((entry.value?.runs.length ?? 0) === 0 || this.#polled.has(place)) return;
      this.#polled.set(place, entry.timeNs - healedNs);
    }
  }

  finish(report: Report): void {
    const { ledger, header } = this.#context;
    const healedNs = this.#healedNs;
    const recovery: Recovery = { never: [] };
    report.recovery = recovery;
    if (this.#faults.intervals.length === 0) return;
    if (healedNs === undefined) {
      report.unknown('a fault was still in force when the history ended');
      return;
    }
    recovery.healedNs = healedNs;
    const pauseNs = expectedPauseNs(header, ledger.places.length);
    const loadNs = this.#lastInvokeNs - healedNs;
    if (this.#sent.size > 0) recovery.sendMs = Math.round(Math.max(...this.#sent.values()) / 1e6);
    if (this.#polled.size > 0) {
      recovery.pollMs = Math.round(Math.max(...this.#polled.values()) / 1e6);
    }
    const missing = ledger.places.filter((place) => !this.#sent.has(place));
    if (missing.length === 0) return;
    if (loadNs < Math.max(PATIENCE_NS, pauseNs)) {
      report.unknown('the load ended too soon after the last fault to see every recovery');
      return;
    }
    const found = new Finding();
    for (const { name, topicPartition } of missing) {
      recovery.never.push(name);
      const seconds = Math.round(loadNs / 1e9);
      const says = `${name}: no send succeeded in ${seconds} s of load after the last fault ended`;
      found.add(1, () => ({ topic: name, topicPartition, says }));
    }
    found.report(report, 'noProgress');
  }
}

/** Liveness: after the last fault has ended, every topic-partition takes writes again. */
export const recovery: Checker = {
  name: 'recovery',
  summary: 'After everything is healed, every topic-partition accepts records again.',
  kinds: ['noProgress'],
  begin(context) {
    const after = new AfterHeal(context);
    return {
      entry: (entry, place, invokedNs) => after.take(entry, place, invokedNs),
      finish: (report) => after.finish(report),
    };
  },
};
