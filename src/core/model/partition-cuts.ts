import { Type, type Static } from 'typebox';
import { fnv1a64 } from '../base/hash.ts';
import { nearMiss } from '../base/near-miss.ts';
import type { Problem } from '../base/problem.ts';
import { Random } from '../base/random.ts';
import {
  cutBridge,
  cutGroups,
  cutHalves,
  cutIsolate,
  cutMajoritiesRing,
  cutOneWay,
  drawHalf,
  nodesOfCuts,
  type Cuts,
} from './partition-shape.ts';
import { NodeName, nodeNamed, type Topology } from './topology.ts';
import { haveBetween, TRAFFIC_FIELDS } from './traffic.ts';

export const SHAPES = ['isolate', 'halves', 'majorities-ring', 'bridge', 'one-way'] as const;

/** The parameters of a network partition that say who loses whom. */
export const WHO_FIELDS = {
  groups: Type.Optional(
    Type.Array(Type.Array(NodeName, { maxItems: 1000 }), {
      maxItems: 1000,
      title: 'list of groups',
      description: "lists of node names, [['n1'], ['n2', 'n3']]: groups lose each other",
    }),
  ),
  shape: Type.Optional(Type.Enum([...SHAPES])),
  direction: Type.Optional(
    Type.Enum(['inbound', 'outbound'], {
      description: "of shape one-way, seen from the targets; default 'inbound'",
    }),
  ),
  clients: Type.Optional(
    Type.Enum(['reachable', 'cut'], {
      description:
        "of a shape: whether nodes that are only clients keep reaching everybody; default 'reachable', but 'cut' where 'listeners' has 'client'",
    }),
  ),
};
const Who = Type.Object({ ...WHO_FIELDS, ...TRAFFIC_FIELDS });
type Who = Static<typeof Who>;

/** A cut of the client listeners means the clients, unless it says otherwise. */
function cutsClients(who: Who): boolean {
  const isAboutThem = who.listeners?.includes('client') === true;
  return (who.clients ?? (isAboutThem ? 'cut' : 'reachable')) === 'cut';
}

/** The nodes a shape speaks of: all servers, and the targets whatever they are. */
export function shapeNodes(who: Who, topology: Topology, targets: readonly NodeName[]): NodeName[] {
  return topology.nodes
    .filter(
      (node) =>
        cutsClients(who) ||
        targets.includes(node.name) ||
        node.roles.some((role) => role !== 'client'),
    )
    .map((node) => node.name);
}

/**
 * Who no longer hears whom, of pairs that have anything of the traffic between them.
 * @param seed the same on every node: what chance decides, all actors must decide alike.
 */
export function cutsOf(
  who: Who,
  topology: Topology,
  targets: readonly NodeName[],
  seed: string,
): Cuts {
  const cuts = new Map<NodeName, NodeName[]>();
  for (const [hearer, speakers] of wholeCuts(who, topology, targets, seed)) {
    const self = nodeNamed(topology, hearer);
    const lost = speakers.filter((name) => {
      const peer = nodeNamed(topology, name);
      return !self || !peer || haveBetween(who, self, peer);
    });
    if (lost.length > 0) cuts.set(hearer, lost);
  }
  return cuts;
}

function wholeCuts(who: Who, topology: Topology, targets: readonly NodeName[], seed: string): Cuts {
  if (who.groups) return cutGroups(who.groups);
  const nodes = shapeNodes(who, topology, targets);
  const random = new Random(fnv1a64(seed));
  switch (who.shape ?? 'isolate') {
    case 'isolate':
      return cutIsolate(nodes, targets);
    case 'halves':
      return cutHalves(nodes, targets.length > 0 ? targets : drawHalf(nodes, random));
    case 'majorities-ring':
      return cutMajoritiesRing(targets.length > 0 ? targets : nodes, random);
    case 'bridge':
      return cutBridge(nodes, targets.length > 0 ? targets : [random.pick(nodes)], random);
    case 'one-way':
      return cutOneWay(nodes, targets, who.direction ?? 'inbound');
  }
}

/** All at either end of a cut; everybody whom chance could choose, where it has not chosen yet. */
export function possibleNodes(who: Who, topology: Topology, targets: NodeName[]): NodeName[] {
  if (who.shape === 'majorities-ring' && targets.length > 0) return targets;
  const open =
    who.shape === 'majorities-ring' ||
    who.shape === 'bridge' ||
    (who.shape === 'halves' && targets.length === 0);
  if (open) return shapeNodes(who, topology, targets);
  return nodesOfCuts(cutsOf(who, topology, targets, ''));
}

/** Who drops something: only a one-way cut has nodes at one end that do not. */
export function droppingNodes(who: Who, topology: Topology, targets: NodeName[]): NodeName[] {
  if (who.shape !== 'one-way') return possibleNodes(who, topology, targets);
  return [...cutsOf(who, topology, targets, '').keys()].sort();
}

function checkGroups(groups: readonly NodeName[][], topology: Topology): Problem[] {
  const problems: Problem[] = [];
  const known = topology.nodes.map((node) => node.name);
  const seen = new Map<NodeName, string>();
  if (groups.length < 2) {
    problems.push({
      path: '/groups',
      message: `${groups.length} group(s) cut nothing: a network partition needs at least two`,
    });
  }
  for (const [g, group] of groups.entries()) {
    if (group.length === 0) problems.push({ path: `/groups/${g}`, message: 'an empty group' });
    for (const [n, name] of group.entries()) {
      const path = `/groups/${g}/${n}`;
      const before = seen.get(name);
      if (before !== undefined) {
        problems.push({
          path,
          message: `node '${name}' stands in a group twice, also at ${before}`,
        });
      }
      seen.set(name, path);
      if (known.includes(name)) continue;
      const near = nearMiss(name, known);
      const problem: Problem = { path, message: `there is no node '${name}'` };
      if (near === undefined) problem.expected = `one of ${known.join(', ')}`;
      else problem.nearMiss = near;
      problems.push(problem);
    }
  }
  return problems;
}

function checkShape(who: Who, topology: Topology): Problem[] {
  const problems: Problem[] = [];
  const count = shapeNodes(who, topology, []).length;
  const least = who.shape === 'majorities-ring' || who.shape === 'bridge' ? 3 : 2;
  const total = who.shape === 'isolate' || who.shape === 'one-way' ? topology.nodes.length : count;
  if (total < least) {
    problems.push({
      path: '/shape',
      message: `shape ${who.shape} needs at least ${least} nodes`,
      found: `${total}`,
    });
  }
  if (who.direction !== undefined && who.shape !== 'one-way') {
    problems.push({ path: '/direction', message: `only shape one-way has a 'direction'` });
  }
  return problems;
}

export function checkWho(who: Who, topology: Topology): Problem[] {
  if (who.groups && who.shape !== undefined) {
    return [{ path: '/shape', message: `either 'groups' or 'shape', not both` }];
  }
  if (who.shape !== undefined) return checkShape(who, topology);
  if (!who.groups) {
    return [{ path: '/groups', message: `'groups' or 'shape' is missing: who is cut from whom?` }];
  }
  const problems: Problem[] = [];
  for (const field of ['direction', 'clients'] as const) {
    if (who[field] !== undefined) {
      problems.push({ path: `/${field}`, message: `'${field}' belongs to a shape, not to groups` });
    }
  }
  return [...problems, ...checkGroups(who.groups, topology)];
}

export function takesTargets(who: Who): 'required' | 'optional' | 'none' {
  if (who.groups || who.shape === undefined) return 'none';
  return who.shape === 'isolate' || who.shape === 'one-way' ? 'required' : 'optional';
}
