import { Type, type Static } from 'typebox';
import { familyOf } from '../base/address.ts';
import { fnv1a64 } from '../base/hash.ts';
import { nearMiss } from '../base/near-miss.ts';
import type { Problem } from '../base/problem.ts';
import { Random } from '../base/random.ts';
import type { DroppedPeer, DropTable } from '../model/act.ts';
import { KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import { faultKind, type Here, type Probe, type Step } from '../model/fault.ts';
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
} from '../model/partition-shape.ts';
import { agentPortOf, checkDistinct } from '../model/node-address.ts';
import { NodeName, nodeNamed, type Node, type Topology } from '../model/topology.ts';

const SHAPES = ['isolate', 'halves', 'majorities-ring', 'bridge', 'one-way'] as const;

const Params = Type.Object(
  {
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
          "of a shape: whether nodes that are only clients keep reaching everybody; default 'reachable'",
      }),
    ),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

/** Port 9 (discard, RFC 863): closed nearly everywhere, so that a peer answers and is counted. */
const CLOSED_PORT = 9;
const PROBES_MAX = 4000;

/** The nodes a shape speaks of: all servers, and the targets whatever they are. */
function shapeNodes(params: Params, topology: Topology, targets: readonly NodeName[]): NodeName[] {
  return topology.nodes
    .filter(
      (node) =>
        params.clients === 'cut' ||
        targets.includes(node.name) ||
        node.roles.some((role) => role !== 'client'),
    )
    .map((node) => node.name);
}

/** @param seed the same on every node: what chance decides, all actors must decide alike. */
function cutsOf(
  params: Params,
  topology: Topology,
  targets: readonly NodeName[],
  seed: string,
): Cuts {
  if (params.groups) return cutGroups(params.groups);
  const nodes = shapeNodes(params, topology, targets);
  const random = new Random(fnv1a64(seed));
  switch (params.shape ?? 'isolate') {
    case 'isolate':
      return cutIsolate(nodes, targets);
    case 'halves':
      return cutHalves(nodes, targets.length > 0 ? targets : drawHalf(nodes, random));
    case 'majorities-ring':
      return cutMajoritiesRing(targets.length > 0 ? targets : nodes, random);
    case 'bridge':
      return cutBridge(nodes, targets.length > 0 ? targets : [random.pick(nodes)], random);
    case 'one-way':
      return cutOneWay(nodes, targets, params.direction ?? 'inbound');
  }
}

function cutsHere(params: Params, here: Here): Cuts {
  return cutsOf(params, here.topology, here.targets, `${here.faultId}#${here.instance}`);
}

/** All at either end of a cut; everybody whom chance could choose, where it has not chosen yet. */
function possibleNodes(params: Params, topology: Topology, targets: NodeName[]): NodeName[] {
  if (params.shape === 'majorities-ring' && targets.length > 0) return targets;
  const open =
    params.shape === 'majorities-ring' ||
    params.shape === 'bridge' ||
    (params.shape === 'halves' && targets.length === 0);
  if (open) return shapeNodes(params, topology, targets);
  return nodesOfCuts(cutsOf(params, topology, targets, ''));
}

/** Who drops something: only a one-way cut has nodes at one end that do not. */
function actors(params: Params, topology: Topology, targets: NodeName[]): NodeName[] {
  if (params.shape !== 'one-way') return possibleNodes(params, topology, targets);
  return [...cutsOf(params, topology, targets, '').keys()].sort();
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

function checkShape(params: Params, topology: Topology): Problem[] {
  const problems: Problem[] = [];
  const count = shapeNodes(params, topology, []).length;
  const least = params.shape === 'majorities-ring' || params.shape === 'bridge' ? 3 : 2;
  const total =
    params.shape === 'isolate' || params.shape === 'one-way' ? topology.nodes.length : count;
  if (total < least) {
    problems.push({
      path: '/shape',
      message: `shape ${params.shape} needs at least ${least} nodes`,
      found: `${total}`,
    });
  }
  if (params.direction !== undefined && params.shape !== 'one-way') {
    problems.push({ path: '/direction', message: `only shape one-way has a 'direction'` });
  }
  return problems;
}

function check(params: Params, topology: Topology): Problem[] {
  if (params.groups && params.shape !== undefined) {
    return [{ path: '/shape', message: `either 'groups' or 'shape', not both` }];
  }
  if (params.shape !== undefined) return checkShape(params, topology);
  if (!params.groups) {
    return [{ path: '/groups', message: `'groups' or 'shape' is missing: who is cut from whom?` }];
  }
  const problems: Problem[] = [];
  for (const field of ['direction', 'clients'] as const) {
    if (params[field] !== undefined) {
      problems.push({ path: `/${field}`, message: `'${field}' belongs to a shape, not to groups` });
    }
  }
  return [...problems, ...checkGroups(params.groups, topology)];
}

function peerOf(node: Node): DroppedPeer {
  const peer: DroppedPeer = {
    name: node.name,
    ipv4: familyOf(4, node.addresses),
    ipv6: familyOf(6, node.addresses),
  };
  const port = agentPortOf(node);
  if (port !== undefined) peer.agentPort = port;
  return peer;
}

function peersHere(params: Params, here: Here): Node[] {
  const dropped = cutsHere(params, here).get(here.node) ?? [];
  return dropped.flatMap((name) => nodeNamed(here.topology, name) ?? []);
}

function plan(params: Params, here: Here): Step[] | Problem[] {
  const cuts = cutsHere(params, here);
  if (cuts.size === 0) {
    return [{ path: '/targets', message: 'these targets and this shape cut nobody from anybody' }];
  }
  const dropped = cuts.get(here.node) ?? [];
  const problems = checkDistinct(here.topology, here.node, dropped);
  if (problems.length > 0) return problems;
  if (dropped.length === 0) return [];
  const drop: DropTable = {
    table: here.token,
    faultId: here.faultId,
    peers: peersHere(params, here).map(peerOf),
    control: here.control,
    timeoutMs: KERNEL_TIMEOUT_MS,
  };
  return [
    {
      says: `${here.node} no longer hears ${dropped.join(', ')}`,
      act: { act: 'nft.drop', drop },
      undo: { act: 'nft.delete', table: here.token },
      refresh: { act: 'nft.refresh', drop },
    },
  ];
}

/** To every peer: a closed port (it answers RST or ICMP, which is counted here) and its open ones. */
function probesFor(peers: readonly Node[]): Probe[] {
  const probes: Probe[] = [];
  for (const peer of peers) {
    const agent = agentPortOf(peer);
    const open = (peer.listeners ?? []).slice(0, 3).map((listener) => listener.port);
    if (agent !== undefined) open.push(agent);
    for (const address of peer.addresses) {
      probes.push({ protocol: 'udp', address, port: CLOSED_PORT });
      for (const port of [CLOSED_PORT, ...open]) probes.push({ protocol: 'tcp', address, port });
    }
  }
  return probes.slice(0, PROBES_MAX);
}

function takesTargets(params: Params): 'required' | 'optional' | 'none' {
  if (params.groups || params.shape === undefined) return 'none';
  return params.shape === 'isolate' || params.shape === 'one-way' ? 'required' : 'optional';
}

/** Nodes lose each other's packets, by nftables on the receiving side. */
export const networkPartition = faultKind({
  kind: 'network.partition',
  summary: 'Nodes no longer hear each other: groups, or a shape around the targets.',
  doc: `Packets between the nodes are dropped silently, IPv4 and IPv6, established connections and new
ones, **on the receiving side**: the sender's TCP sees what a dead network looks like (retransmission
and backoff), not an error.

**Who loses whom**

- \`groups\`: nodes of different groups lose each other. A node named in no group is untouched: it
  hears everybody, and everybody hears it (as in Trogdor).
- \`shape: isolate\`: every target is alone, cut from the other targets too.
- \`shape: halves\`: the targets together against all the rest; without targets, two halves chosen by
  the fault's id and occurrence.
- \`shape: majorities-ring\`: every node sees a majority, no two see the same one. Among the targets,
  or without them all servers; at least three nodes.
- \`shape: bridge\`: two halves that lose each other; the targets (or one chosen node) still see both.
- \`shape: one-way\`: with \`direction: inbound\` the targets lose what others send and are still
  heard; with \`outbound\` they hear everybody and nobody hears them.

Shapes speak of the servers. Nodes that are only clients stay reachable (an isolated leader still
answers its clients, which is where acknowledged writes are lost) unless \`clients: cut\`.

**What a Kafka user sees.** Followers fall out of the ISR after \`replica.lag.time.max.ms\`; a broker
without the controller quorum is fenced after \`broker.session.timeout.ms\`, and its leaders move; with
\`acks=all\` producers time out where \`min.insync.replicas\` is lost. After healing, connections come
back only when TCP's backoff lets them (seconds after a cut of minutes) or clients reconnect.

**What it does not do.** The coordinator's path to the agents stays open (its address to the agent's
port, nothing else of that host), so do loopback and IPv6 neighbour discovery. Nodes that share an
address (NAT) can't be cut from each other and are refused. The kernel ends the cut by itself 30 s
after an agent has last refreshed it.`,
  standing: true,
  namesNodes: true,
  takesTargets,
  colour: '#d93025',
  params: Params,
  examples: [
    { title: 'one broker against two', params: { groups: [['n1'], ['n2', 'n3']] } },
    { title: 'three ways', params: { groups: [['n1'], ['n2'], ['n3', 'n4', 'client1']] } },
    { title: 'isolate the targets', params: { shape: 'isolate' } },
    { title: 'isolate them from clients, too', params: { shape: 'isolate', clients: 'cut' } },
    { title: 'halves', params: { shape: 'halves' } },
    { title: 'every node sees another majority', params: { shape: 'majorities-ring' } },
    { title: 'one node sees both halves', params: { shape: 'bridge' } },
    { title: 'targets go deaf', params: { shape: 'one-way', direction: 'inbound' } },
    { title: 'targets go mute', params: { shape: 'one-way', direction: 'outbound' } },
  ],
  needs: [['nft', 'nft.timeout']],
  check,
  targets: possibleNodes,
  actors,
  cuts: cutsOf,
  observe: () => [],
  plan,
  claims: () => [],
  witness(params, here) {
    const peers = peersHere(params, here);
    return {
      sample: { query: 'nftCounters', table: here.token },
      probes: probesFor(peers),
      // A node in the middle (a bridge) has nothing to drop, and so nothing that could be missing.
      seen: (_before, now) =>
        now.query === 'nftCounters' && peers.every((peer) => (now.packets[peer.name] ?? 0) > 0),
      withinMs: 2_000,
      says:
        peers.length === 0
          ? 'nothing: in this shape this node hears everybody'
          : `drops counted of ${peers.map((peer) => peer.name).join(', ')}`,
    };
  },
  draw(random, topology) {
    const names = topology.nodes.map((node) => node.name);
    const servers = shapeNodes({}, topology, []);
    const among = servers.length > 0 ? servers : names;
    const shape = random.pick(among.length >= 3 ? SHAPES : (['isolate', 'one-way'] as const));
    const direction = random.pick(['inbound', 'outbound'] as const);
    const target = random.pick(among);
    switch (shape) {
      case 'isolate':
      case 'bridge':
        return { params: { shape }, targets: target };
      case 'one-way':
        return { params: { shape, direction }, targets: target };
      case 'halves':
        return { params: { shape }, targets: drawHalf(among, random).join(' | ') };
      case 'majorities-ring':
        return { params: { shape } };
    }
  },
});
