import { assert } from '../../base/assert.ts';
import { reasonOf } from '../../base/failure.ts';
import {
  faultEntries,
  parseHistoryLine,
  type FaultEntry,
  type FaultInterval,
  type HistoryEntry,
  type HistoryHeader,
} from '../../model/history.ts';
import {
  NO_COUNTS,
  type Anomaly,
  type Availability,
  type CheckOutcome,
  type Recovery,
  type Verdict,
} from '../../model/verdict.ts';
import type { Checker, Report, RunningCheck } from './checker.ts';
import { Ledger } from './ledger.ts';
import type { Place } from './place.ts';

export interface CheckOptions {
  /** Checkers or kinds of anomaly that must hold; default: all. The others are reported all the same. */
  checks?: readonly string[];
  /** Faults to merge in, where the history does not hold them. */
  faults?: readonly FaultInterval[];
  /** Wall clock of whoever timed the faults minus that of the workload's machine, milliseconds. */
  faultClockOffsetMs?: number;
  /** Default 1000. */
  thresholdMs?: number;
}

const HEADLESS = 'entries stand before the header of the history, or without one';

interface Job {
  checker: Checker;
  running: RunningCheck;
  outcome: CheckOutcome;
}

/** Judges a history entry by entry: `add` all of them in order, then `finish` once. */
export class HistoryCheck {
  readonly #checkers: readonly Checker[];
  readonly #options: CheckOptions;
  #jobs: Job[] = [];
  #ledger: Ledger | undefined;
  #faults: FaultEntry[] = [];
  #nextFault = 0;
  #reasons: string[] = [];

  constructor(checkers: readonly Checker[], options: CheckOptions = {}) {
    this.#checkers = checkers;
    this.#options = options;
  }

  #begin(header: HistoryHeader): void {
    assert(this.#ledger === undefined, 'one header a history');
    const { faults, faultClockOffsetMs, thresholdMs } = this.#options;
    const notices: RunningCheck[] = [];
    const ledger = new Ledger(header, notices);
    for (const checker of this.#checkers) {
      const outcome: CheckOutcome = { verdict: 'valid' };
      const context = { header, ledger, thresholdMs: thresholdMs ?? 1_000 };
      const running = guarded(checker.begin(context), outcome);
      this.#jobs.push({ checker, running, outcome });
      if (running.conflict ?? running.second ?? running.unsent) notices.push(running);
    }
    this.#ledger = ledger;
    this.#faults = faultEntries(header, faults ?? [], faultClockOffsetMs ?? 0);
  }

  /** Says that the history itself is not whole: the verdict is then `unknown` at best. */
  damaged(reason: string): void {
    this.#reasons.push(reason);
  }

  add(entry: HistoryEntry): void {
    if (entry.type === 'header') {
      this.#begin(entry);
      return;
    }
    while ((this.#faults[this.#nextFault]?.timeNs ?? Number.POSITIVE_INFINITY) <= entry.timeNs) {
      this.#take(this.#faults[this.#nextFault++] as FaultEntry);
    }
    this.#take(entry);
  }

  #take(entry: Exclude<HistoryEntry, HistoryHeader>): void {
    const ledger = this.#ledger;
    if (ledger === undefined) {
      if (!this.#reasons.includes(HEADLESS)) this.#reasons.push(HEADLESS);
      return;
    }
    const invokedNs = ledger.take(entry);
    const place = placeOf(ledger, entry);
    for (const { running } of this.#jobs) running.entry?.(entry, place, invokedNs);
  }

  finish(): Verdict {
    while (this.#nextFault < this.#faults.length) {
      this.#take(this.#faults[this.#nextFault++] as FaultEntry);
    }
    const anomalies: Anomaly[] = [];
    let availability: Availability | undefined;
    let recovery: Recovery | undefined;
    for (const { checker, running, outcome } of this.#jobs) {
      const report: Report = {
        anomaly: (kind, count, examples) => {
          const { checks } = this.#options;
          const name = checker.name;
          const counts = checks === undefined || checks.includes(name) || checks.includes(kind);
          anomalies.push({ kind, checker: name, count, examples, counts });
          outcome.verdict = 'invalid';
        },
        unknown: (reason) => cannotTell(outcome, reason),
      };
      running.finish(report);
      availability ??= report.availability;
      recovery ??= report.recovery;
    }
    return this.#verdict(anomalies, availability, recovery);
  }

  #verdict(anomalies: Anomaly[], availability?: Availability, recovery?: Recovery): Verdict {
    const counts = this.#ledger?.counts() ?? { ...NO_COUNTS };
    const reasons = [...this.#reasons];
    if (this.#ledger === undefined) reasons.push('the history has no header');
    else if (counts.acknowledged === 0) reasons.push('nothing was acknowledged');
    const checks: Record<string, CheckOutcome> = {};
    const said = new Map<string, string[]>();
    for (const { checker, outcome } of this.#jobs) {
      checks[checker.name] = outcome;
      const must = this.#options.checks;
      const names = [checker.name, ...checker.kinds];
      const counted = must === undefined || names.some((name) => must.includes(name));
      if (outcome.reason === undefined || !counted) continue;
      said.set(outcome.reason, [...(said.get(outcome.reason) ?? []), checker.name]);
    }
    // What several of them cannot see is said once.
    for (const [reason, who] of said) reasons.push(`${who.join(', ')}: ${reason}`);
    const against = anomalies.filter((anomaly) => anomaly.counts);
    const found = against.map(({ kind, count }) => `${kind}: ${count}`);
    return {
      verdict: against.length > 0 ? 'invalid' : reasons.length > 0 ? 'unknown' : 'valid',
      reasons: [...found, ...reasons],
      anomalies,
      checks,
      counts,
      availability: availability ?? {
        thresholdMs: this.#options.thresholdMs ?? 1_000,
        windows: [],
        count: 0,
        longestSendMs: 0,
        longestPollMs: 0,
        withoutFault: 0,
      },
      recovery: recovery ?? { never: [] },
    };
  }
}

function cannotTell(outcome: CheckOutcome, reason: string): void {
  if (outcome.verdict === 'valid') outcome.verdict = 'unknown';
  outcome.reason ??= reason;
}

/** A checker that throws cannot tell any more; it must not take the others with it. */
function guarded(running: RunningCheck, outcome: CheckOutcome): RunningCheck {
  let broken = false;
  const guard = <Arguments extends unknown[]>(
    call: ((...args: Arguments) => void) | undefined,
  ): ((...args: Arguments) => void) | undefined =>
    call === undefined
      ? undefined
      : (...args) => {
          if (broken) return;
          try {
            call.apply(running, args);
          } catch (error) {
            broken = true;
            cannotTell(outcome, `the checker failed: ${reasonOf(error)}`);
          }
        };
  const safe: RunningCheck = { finish: guard(running.finish) as RunningCheck['finish'] };
  const entry = guard(running.entry);
  const conflict = guard(running.conflict);
  const second = guard(running.second);
  const unsent = guard(running.unsent);
  if (entry !== undefined) safe.entry = entry;
  if (conflict !== undefined) safe.conflict = conflict;
  if (second !== undefined) safe.second = second;
  if (unsent !== undefined) safe.unsent = unsent;
  return safe;
}

function placeOf(ledger: Ledger, entry: HistoryEntry): Place | undefined {
  if (entry.type === 'header' || entry.process === 'nemesis') return undefined;
  if (entry.f !== 'send' && entry.f !== 'poll') return undefined;
  const { value } = entry;
  return value === undefined ? undefined : ledger.place(value.topic, value.topicPartition);
}

/** Judges a whole history: lines or entries, in order. Never throws: damage is `unknown`. */
export function checkHistory(
  checkers: readonly Checker[],
  history: Iterable<string | HistoryEntry>,
  options: CheckOptions = {},
): Verdict {
  const check = new HistoryCheck(checkers, options);
  let torn = false;
  for (const item of history) {
    const entry = typeof item === 'string' ? parseHistoryLine(item) : item;
    // Only the last line may be torn: one that is followed by another is damage.
    if (torn) check.damaged('the history holds a line that is no entry');
    torn = entry === undefined;
    if (entry === undefined) continue;
    try {
      check.add(entry);
    } catch (error) {
      check.damaged(reasonOf(error));
      break;
    }
  }
  return check.finish();
}
