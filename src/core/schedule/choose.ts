import type { Random } from '../base/random.ts';

/** A kind as the drawing knows it. `stream` names its forks: the kind, numbered if listed twice. */
export interface Candidate {
  stream: string;
  weight: number;
}

/** A kind is on for a whole run with this chance (swarm testing, Groce et al., ISSTA 2012). */
const ON = { numerator: 2, denominator: 3 };

/**
 * Which candidates are on for this run. Each one's coin is its own, so another candidate more or
 * less changes nothing for it. Where all coins say no, the one with the highest number stays on.
 */
export function swarm<C extends Candidate>(candidates: readonly C[], random: Random): C[] {
  const on = candidates.filter(({ stream }) => random.fork(`on ${stream}`).chance(ON));
  if (on.length > 0) return on;
  const best = highest(candidates, ({ stream }) => random.fork(`last ${stream}`).next());
  return best === undefined ? [] : [best];
}

/**
 * One candidate, with a chance of weight / sum of weights. Every candidate draws `weight` numbers
 * from a stream of its own and the highest number wins (rendezvous hashing, Thaler and Ravishankar
 * 1998, in integers): a candidate that is added takes some choices for itself and moves no other.
 */
export function choose<C extends Candidate>(
  candidates: readonly C[],
  random: Random,
): C | undefined {
  return highest(
    candidates.filter(({ weight }) => weight > 0),
    ({ stream, weight }) => {
      const tickets = random.fork(stream);
      let best = -1;
      for (let ticket = 0; ticket < weight; ticket++) best = Math.max(best, tickets.next());
      return best;
    },
  );
}

/** Equal numbers (2^-32): the stream that sorts first, so that the order of a list does not count. */
function highest<C extends Candidate>(
  candidates: readonly C[],
  numberOf: (candidate: C) => number,
): C | undefined {
  let winner: { candidate: C; number: number } | undefined;
  for (const candidate of candidates) {
    const number = numberOf(candidate);
    const better =
      winner === undefined ||
      number > winner.number ||
      (number === winner.number && candidate.stream < winner.candidate.stream);
    if (better) winner = { candidate, number };
  }
  return winner?.candidate;
}
