import { Type } from 'typebox';
import { nearMiss } from '../base/near-miss.ts';
import type { Problem } from '../base/problem.ts';
import { NodeName, nodeNamed, type Node, type Topology } from '../model/topology.ts';
import { checkTraffic, haveBetween, TRAFFIC_FIELDS, type Traffic } from '../model/traffic.ts';

/** Parameters that say whose packets a fault means: those between the targets and their peers. */
export const AIM_FIELDS = {
  peers: Type.Optional(
    Type.Array(NodeName, {
      minItems: 1,
      maxItems: 1000,
      title: 'list of nodes',
      description: 'between the targets and these alone; default: all other nodes',
    }),
  ),
  direction: Type.Optional(
    Type.Enum(['outbound', 'inbound', 'both'], {
      description: "what the targets send, what they receive, or both; default 'outbound'",
    }),
  ),
  ...TRAFFIC_FIELDS,
};

export interface Aim extends Traffic {
  peers?: NodeName[] | undefined;
  direction?: 'outbound' | 'inbound' | 'both' | undefined;
}

/** One way between two nodes. */
export interface Link {
  from: Node;
  to: Node;
}

/** Every way that a fault means, each once. */
export function linksOf(aim: Aim, topology: Topology, selected: readonly NodeName[]): Link[] {
  const { direction = 'outbound' } = aim;
  const names = aim.peers ?? topology.nodes.map((node) => node.name);
  const links = new Map<string, Link>();
  const add = (from: Node, to: Node): void => {
    if (from.name !== to.name && haveBetween(aim, to, from))
      links.set(`${from.name} ${to.name}`, { from, to });
  };
  for (const target of selected.flatMap((name) => nodeNamed(topology, name) ?? [])) {
    for (const peer of names.flatMap((name) => nodeNamed(topology, name) ?? [])) {
      if (direction !== 'inbound') add(target, peer);
      if (direction !== 'outbound') add(peer, target);
    }
  }
  return [...links.values()];
}

/** Peers that are none, and what is wrong with the traffic. */
export function checkAim(aim: Aim, topology: Topology): Problem[] {
  const known = topology.nodes.map((node) => node.name);
  const unknown = (aim.peers ?? []).flatMap((name, index): Problem[] => {
    if (known.includes(name)) return [];
    const near = nearMiss(name, known);
    const problem = { path: `/peers/${index}`, message: `there is no node '${name}'` };
    if (near !== undefined) return [{ ...problem, nearMiss: near }];
    return [{ ...problem, expected: `one of ${known.join(', ')}` }];
  });
  return [...unknown, ...checkTraffic(aim, topology)];
}
