import { nearMiss } from '../base/near-miss.ts';
import type { Problem } from '../base/problem.ts';
import { Random } from '../base/random.ts';
import { parseRatio, type Ratio } from '../base/ratio.ts';
import type { Targets } from '../model/fault-request.ts';
import type { Topology } from '../model/topology.ts';
import { checkSelector, readTargets } from './selectors.ts';

/** Problems of a selector, as far as they show without a cluster. */
export function checkTargets(targets: Targets, topology: Topology): Problem[] {
  const selector = readTargets(targets);
  return selector.ok ? checkSelector(selector.value, topology, new Random(0)) : selector.problems;
}

/** A ratio whose text is right may still be over 1. */
export function checkRatio(path: string, ratio: Ratio | undefined): Problem[] {
  if (ratio === undefined || parseRatio(ratio) !== undefined) return [];
  return [{ path, message: 'not a ratio from 0 to 1', found: JSON.stringify(ratio) }];
}

/** A name that is none of the known ones, with the one probably meant. */
export function unknownName(
  path: string,
  what: string,
  name: string,
  known: readonly string[],
): Problem {
  const near = nearMiss(name, known);
  const message = `there is no ${what} '${name}'`;
  return near === undefined
    ? { path, message, expected: `one of ${known.join(', ')}` }
    : { path, message, nearMiss: near };
}
