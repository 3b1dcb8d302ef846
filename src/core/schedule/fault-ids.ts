import { shortHash } from '../base/hash.ts';

const LONGEST = 63;
const HASH_CHARACTERS = 8;

/** An id of two parts; where it would be too long, a hash stands for what the name loses. */
export function joinedId(name: string, tail: string): string {
  const whole = `${name}-${tail}`;
  if (whole.length <= LONGEST) return whole;
  const room = LONGEST - tail.length - HASH_CHARACTERS - 2;
  const hash = shortHash(name).slice(-HASH_CHARACTERS);
  return room > 0 ? `${name.slice(0, room)}-${hash}-${tail}` : `${hash}-${tail}`.slice(0, LONGEST);
}

/** The id of the nth fault of a schedule: `<scenario>-<seed>-<n>`. */
export function scheduledId(scenario: string, seed: string, position: number): string {
  return joinedId(scenario, `${seed}-${position}`);
}

/**
 * The id of that fault in one run: `<run>-<n>`, or `<run>-<its own id>`. A second run of the same
 * seed must not find the healed faults of the first.
 */
export function idInRun(run: string, position: number, ownId?: string): string {
  return joinedId(run, ownId ?? String(position));
}
