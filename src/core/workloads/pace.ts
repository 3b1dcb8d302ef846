import type { Random } from '../base/random.ts';
import type { FlushSpec, ThroughputSpec, TransactionSpec } from './pace-spec.ts';

/** Trogdor's own throttles look at a tenth of a second at a time. */
const PERIOD_MS = 100;

/** As many as a window may have go at once, the rest waits for the next window. */
export class Pace {
  readonly windowMs: number;
  readonly #limit: (window: number) => number;
  #window = Number.NEGATIVE_INFINITY;
  #left = 0;

  /** @param limit how many a window (0, 1, 2 ...) may have. */
  constructor(windowMs: number, limit: (window: number) => number) {
    this.windowMs = windowMs;
    this.#limit = limit;
  }

  /** How many may go now. @param nowMs monotonic. */
  room(nowMs: number): number {
    const window = Math.floor(nowMs / this.windowMs);
    if (window !== this.#window) {
      this.#window = window;
      this.#left = this.#limit(window);
    }
    return this.#left;
  }

  take(count: number): void {
    this.#left -= count;
  }

  /** Until the next window, ms. */
  waitMs(nowMs: number): number {
    return (Math.floor(nowMs / this.windowMs) + 1) * this.windowMs - nowMs;
  }
}

const unlimited = (): number => Number.POSITIVE_INFINITY;

/** @param perSecond not above 0: no limit. At least one a tenth of a second, as in Trogdor. */
export function steadyPace(perSecond: number): Pace {
  if (perSecond <= 0) return new Pace(PERIOD_MS, unlimited);
  const perPeriod = Math.max(1, Math.floor((perSecond * PERIOD_MS) / 1_000));
  return new Pace(PERIOD_MS, () => perPeriod);
}

/** Near 0, deviation 1: the sum of twelve draws (Irwin-Hall), which needs no logarithm. */
function nearlyNormal(random: Random): number {
  let sum = -6;
  for (let index = 0; index < 12; index++) sum += random.below(1_000_000) / 1_000_000;
  return sum;
}

function drawn(random: Random, average: number, deviation: number): number {
  return Math.max(0, Math.trunc(nearlyNormal(random) * deviation + average));
}

export function paceOf(spec: ThroughputSpec, random: Random): Pace {
  if (spec.type === 'constant') {
    const { messagesPerWindow, windowSizeMs } = spec;
    if (messagesPerWindow <= 0) return new Pace(windowSizeMs, unlimited);
    return new Pace(windowSizeMs, () => messagesPerWindow);
  }
  const { messagesPerWindowAverage, messagesPerWindowDeviation, windowsUntilRateChange } = spec;
  let until = Number.NEGATIVE_INFINITY;
  let limit = 0;
  return new Pace(spec.windowSizeMs, (window) => {
    if (window >= until) {
      until = window + Math.max(1, windowsUntilRateChange);
      limit = drawn(random, messagesPerWindowAverage, messagesPerWindowDeviation);
    }
    return limit;
  });
}

/** Says of each record whether everything must be written after it. */
export type FlushRule = () => boolean;

export function flushRule(spec: FlushSpec | undefined, random: Random): FlushRule {
  if (spec === undefined) return () => false;
  const size = (): number =>
    spec.type === 'constant'
      ? spec.messagesPerFlush
      : drawn(random, spec.messagesPerFlushAverage, spec.messagesPerFlushDeviation);
  let left = size();
  return () => {
    left--;
    if (left > 0) return false;
    left = size();
    return true;
  };
}

/** Before each record: 'begin' or 'commit' first; asked until it says neither. */
export type TransactionRule = (nowMs: number) => 'begin' | 'commit' | undefined;

export function transactionRule(spec: TransactionSpec): TransactionRule {
  if (spec.type === 'uniform') {
    let records = -1;
    return () => {
      if (records === spec.messagesPerTransaction) records = -1;
      else if (records >= 0) return void records++;
      else {
        records = 0;
        return 'begin';
      }
      return 'commit';
    };
  }
  let sinceMs: number | undefined;
  return (nowMs) => {
    if (sinceMs === undefined) {
      sinceMs = nowMs;
      return 'begin';
    }
    if (nowMs - sinceMs < spec.transactionIntervalMs) return undefined;
    sinceMs = undefined;
    return 'commit';
  };
}
