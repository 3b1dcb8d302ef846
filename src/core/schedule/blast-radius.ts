import type { FaultKind } from '../model/fault.ts';
import type { Limits } from '../model/scenario.ts';
import type { NodeName, Topology } from '../model/topology.ts';
import type { Random } from '../base/random.ts';

/** What one fault harms, in the shape that the coordinator's limits are checked with. */
export interface Harm {
  fault: string;
  targets: NodeName[];
  /** Of a network partition: who no longer hears whom. */
  cuts?: (readonly [NodeName, readonly NodeName[]])[];
}

/**
 * What the drawing asks of the layer above it: the coordinator's own rules, so that a schedule
 * avoids what the coordinator would refuse. Pure, both of them.
 */
export interface DrawWorld {
  topology: Topology;
  kinds: readonly FaultKind[];
  /** The nodes a selector names; undefined where only the live cluster knows. */
  resolve(targets: string | string[], random: Random): NodeName[] | undefined;
  /** Whether `next` may begin beside what stands. */
  allows(limits: Limits, standing: readonly Harm[], next: Harm): boolean;
}

/** What one fault of a schedule holds, and for how long, as far as that is known beforehand. */
export interface Occupancy {
  kind: string;
  fromMs: number;
  toMs: number;
  /** Empty targets where the selector needs the live cluster. */
  harm: Harm;
}

function overlap(left: Occupancy, right: Occupancy): boolean {
  return left.fromMs < right.toMs && right.fromMs < left.toMs;
}

/**
 * Whether a fault fits beside those that stand while it does: the count at once, the limits, and
 * never the same kind twice on one node (its second instance would be refused).
 */
export function fits(
  next: Occupancy,
  placed: readonly Occupancy[],
  limits: Limits,
  concurrent: number,
  world: DrawWorld,
): boolean {
  const beside = placed.filter((one) => overlap(one, next));
  if (beside.length + 1 > concurrent) return false;
  const twice = beside.some(
    (one) =>
      one.kind === next.kind && one.harm.targets.some((node) => next.harm.targets.includes(node)),
  );
  if (twice) return false;
  // More may overlap with the new one than stand at any one moment: stricter than need be, never laxer.
  return world.allows(
    limits,
    beside.map(({ harm }) => harm),
    next.harm,
  );
}
