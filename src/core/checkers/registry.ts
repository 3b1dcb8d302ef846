import { availability } from './availability.ts';
import { controllers } from './controllers.ts';
import { divergence } from './divergence.ts';
import { duplicate } from './duplicate.ts';
import type { Checker } from './engine/checker.ts';
import { loss } from './loss.ts';
import { order } from './order.ts';
import { phantom } from './phantom.ts';
import { recovery } from './recovery.ts';

/** One entry a file of this folder (a test holds it to that). */
export const CHECKERS: readonly Checker[] = [
  loss,
  duplicate,
  divergence,
  order,
  phantom,
  availability,
  recovery,
  controllers,
];

/** Names a scenario's `checks` may hold: checkers, and kinds of anomaly. */
export function checkNames(): string[] {
  return CHECKERS.flatMap(({ name, kinds }) => [name, ...kinds.filter((kind) => kind !== name)]);
}
