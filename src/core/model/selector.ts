import type { NodeName } from './topology.ts';

/**
 * A parsed selector. Grammar (core/schedule has none of it: a fault's nodes are not chance's
 * business until the selector is resolved):
 *
 *   expression := term (('|' | '-') term)*          union, difference; left to right
 *   term       := factor ('&' factor)*              intersection
 *   factor     := '(' expression ')' | pick | function | node name
 *   pick       := ('one'|'minority'|'majority'|'all'|'random(' k ')') 'of' factor
 *   function   := role(r) | leader(t-p) | followers(t-p) | isr(t-p) | controller.active
 *               | controller.quorum | rack(r) | all | one | minority | majority | random(k)
 *
 * A bare pick word picks from all nodes with role broker.
 */
export type Selector =
  | { select: 'node'; name: NodeName }
  | { select: 'role'; role: string }
  | { select: 'rack'; rack: string }
  | { select: 'leader' | 'followers' | 'isr'; topic: string; partition: number }
  | { select: 'controller.active' }
  | { select: 'controller.quorum' }
  | { select: 'pick'; how: 'one' | 'minority' | 'majority' | 'all'; of: Selector }
  | { select: 'random'; count: number; of: Selector }
  | { select: 'union' | 'intersection' | 'difference'; left: Selector; right: Selector };
