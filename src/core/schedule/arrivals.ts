import { unreachable } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import type { Fraction } from '../base/ratio.ts';

/**
 * When faults begin, as a value: plain data that can be printed and compared, put together from the
 * combinators below. `slotsOf` draws it. Whole milliseconds and integer draws only, so that a seed
 * gives the same times everywhere.
 */
export type Arrivals =
  /** Exactly this far apart. */
  | { arrive: 'regular'; everyMs: number }
  /** The sum of two even draws: between 0 and twice the mean, mostly near it. */
  | { arrive: 'triangular'; everyMs: number }
  /** No memory: each of 20 ticks a mean holds an arrival with chance 1/20. */
  | { arrive: 'geometric'; everyMs: number }
  /** Later by this much. */
  | { arrive: 'delayed'; byMs: number; of: Arrivals }
  /** None from this instant on. */
  | { arrive: 'until'; endMs: number; of: Arrivals }
  /** Each one left out with this chance: a quiet time. */
  | { arrive: 'thinned'; quiet: Fraction; of: Arrivals };

/** One arrival. Slots keep their number whatever is left out, so that what follows stays put. */
export interface Slot {
  number: number;
  atMs: number;
}

const TICKS = 20;
/** A draw of the memoryless gap ends here: ten times the mean. */
const LONGEST_TICKS = TICKS * 10;

export const regular = (everyMs: number): Arrivals => ({ arrive: 'regular', everyMs });
export const triangular = (everyMs: number): Arrivals => ({ arrive: 'triangular', everyMs });
export const geometric = (everyMs: number): Arrivals => ({ arrive: 'geometric', everyMs });
export const delayed = (byMs: number, of: Arrivals): Arrivals => ({ arrive: 'delayed', byMs, of });
export const until = (endMs: number, of: Arrivals): Arrivals => ({ arrive: 'until', endMs, of });
export const thinned = (quiet: Fraction, of: Arrivals): Arrivals => ({
  arrive: 'thinned',
  quiet,
  of,
});

function geometricGap(everyMs: number, random: Random): number {
  const tickMs = Math.max(1, Math.floor(everyMs / TICKS));
  let ticks = 1;
  while (ticks < LONGEST_TICKS && !random.chance({ numerator: 1, denominator: TICKS })) ticks += 1;
  // Even within its tick: the grid does not show.
  return ticks * tickMs - random.below(tickMs);
}

function* gaps(gap: () => number): Generator<Slot> {
  let atMs = 0;
  for (let number = 1; ; number++) {
    atMs += Math.max(1, gap());
    yield { number, atMs };
  }
}

/**
 * Draws the slots of arrivals, lazily, in the order of time. Without `until` they never end.
 * @param random every combinator takes a fork of it: wrapping one in another moves no draw.
 */
export function* slotsOf(arrivals: Arrivals, random: Random): Generator<Slot> {
  switch (arrivals.arrive) {
    case 'regular':
      return yield* gaps(() => arrivals.everyMs);
    case 'triangular': {
      const draws = random.fork('gaps');
      return yield* gaps(
        () => draws.between(0, arrivals.everyMs) + draws.between(0, arrivals.everyMs),
      );
    }
    case 'geometric': {
      const draws = random.fork('gaps');
      return yield* gaps(() => geometricGap(arrivals.everyMs, draws));
    }
    case 'delayed':
      for (const slot of slotsOf(arrivals.of, random)) {
        yield { number: slot.number, atMs: slot.atMs + arrivals.byMs };
      }
      return;
    case 'until':
      for (const slot of slotsOf(arrivals.of, random)) {
        if (slot.atMs >= arrivals.endMs) return;
        yield slot;
      }
      return;
    case 'thinned': {
      const draws = random.fork('quiet');
      for (const slot of slotsOf(arrivals.of, random)) {
        if (!draws.fork(String(slot.number)).chance(arrivals.quiet)) yield slot;
      }
      return;
    }
    default:
      return unreachable(arrivals);
  }
}
