import { fnv1a64 } from '../base/hash.ts';
import { Random } from '../base/random.ts';

/** Bounds of a length that is drawn anew each time, ms, both included. */
export interface Range {
  leastMs: number;
  mostMs: number;
}

/** When something that is in force bites, counted from the instant it came into force. */
export interface Timeline {
  /** In turn on and off, beginning with on. The same seed gives the same instants on every node. */
  flap?: { seed: string; on: Range; off: Range };
  /** What ends by itself, and when, ms. */
  ends?: Readonly<Record<string, number>>;
}

export interface Moment {
  /** False in the pauses of flapping. */
  on: boolean;
  /** When anything of this changes next, ms from the start; Infinity: never. */
  nextMs: number;
}

function flapAt(flap: NonNullable<Timeline['flap']>, sinceMs: number): Moment {
  const random = new Random(fnv1a64(flap.seed)).fork('flap');
  let nextMs = 0;
  for (let on = true; ; on = !on) {
    const { leastMs, mostMs } = on ? flap.on : flap.off;
    nextMs += random.between(leastMs, mostMs);
    if (sinceMs < nextMs) return { on, nextMs };
  }
}

/** Where a timeline stands. @param sinceMs from the start, not negative. */
export function momentOf(timeline: Timeline | undefined, sinceMs: number): Moment {
  const flapping = timeline?.flap ? flapAt(timeline.flap, sinceMs) : { on: true, nextMs: Infinity };
  const ends = Object.values(timeline?.ends ?? {}).filter((endMs) => endMs > sinceMs);
  return { on: flapping.on, nextMs: Math.min(flapping.nextMs, ...ends) };
}

/** Those of the names that are bitten at that moment. */
export function bitten(
  timeline: Timeline | undefined,
  names: readonly string[],
  sinceMs: number,
): Set<string> {
  if (!momentOf(timeline, sinceMs).on) return new Set();
  return new Set(names.filter((name) => (timeline?.ends?.[name] ?? Infinity) > sinceMs));
}
