import type { FaultKind } from '../model/fault.ts';
import { parseRatio } from '../base/ratio.ts';
import type { Limits } from '../model/scenario.ts';
import { ROLES, type NodeName, type Topology } from '../model/topology.ts';

/** What one fault of a schedule holds, and for how long, as far as that is known beforehand. */
export interface Occupancy {
  kind: string;
  fromMs: number;
  toMs: number;
  /** Nodes that may be harmed. */
  nodes: NodeName[];
  /** The selector needs the live cluster: one more node, nobody knows which. */
  unknown: number;
}

export function overlap(left: Occupancy, right: Occupancy): boolean {
  return left.fromMs < right.toMs && right.fromMs < left.toMs;
}

/** Everything harmed at one moment, most of it: all that overlaps the new one. */
function harmed(standing: readonly Occupancy[]): { nodes: Set<NodeName>; unknown: number } {
  return {
    nodes: new Set(standing.flatMap((one) => one.nodes)),
    unknown: standing.reduce((sum, one) => sum + one.unknown, 0),
  };
}

/**
 * Whether a fault fits beside those that stand while it does: the count at once, the limits of the
 * scenario, and never the same kind twice on one node (its second instance would be refused).
 * `alone`: a fault that breaks a limit by itself is not a reason for another time, but for another draw.
 */
export function fits(
  candidate: Occupancy,
  placed: readonly Occupancy[],
  limits: Limits,
  concurrent: number,
  topology: Topology,
): boolean {
  const beside = placed.filter((one) => overlap(one, candidate));
  if (beside.length + 1 > concurrent) return false;
  const twice = beside.some(
    (one) =>
      one.kind === candidate.kind && one.nodes.some((node) => candidate.nodes.includes(node)),
  );
  return !twice && withinLimits([...beside, candidate], limits, topology);
}

/** Whether all of these may stand at once. */
export function withinLimits(
  standing: readonly Occupancy[],
  limits: Limits,
  topology: Topology,
): boolean {
  const { nodes, unknown } = harmed(standing);
  if (limits.nodes !== undefined && nodes.size + unknown > limits.nodes) return false;
  const share = limits.roleShare === undefined ? undefined : parseRatio(limits.roleShare);
  for (const role of ROLES) {
    const members = topology.nodes.filter((node) => node.roles.includes(role));
    const hit = members.filter((node) => nodes.has(node.name)).length;
    // hit / members > numerator / denominator, in whole numbers.
    if (share && hit * share.denominator > share.numerator * members.length) return false;
    const keepQuorum = role === 'controller' && (limits.keepQuorum ?? true);
    if (keepQuorum && hit > 0 && (members.length - hit) * 2 <= members.length) return false;
  }
  return true;
}

/** The nodes a fault of this kind may harm. @param selected what its selector names. */
export function radiusOf(
  kind: FaultKind,
  params: Record<string, unknown>,
  topology: Topology,
  selected: NodeName[],
): NodeName[] {
  return kind.targets(params, topology, selected);
}
