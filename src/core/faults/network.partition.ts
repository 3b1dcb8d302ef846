import { Type, type Static } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { EVERY_PACKET, type RuleTable } from '../model/act-netfilter.ts';
import { KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import { faultKind, type Here, type PacketProbe, type Step, type Witness } from '../model/fault.ts';
import {
  BackendChoice,
  chooseBackend,
  namedBackend,
  NETFILTER_NEEDS,
} from '../model/netfilter-backend.ts';
import { agentPortOf, checkDistinct } from '../model/node-address.ts';
import {
  checkWho,
  cutsOf,
  droppingNodes,
  possibleNodes,
  SHAPES,
  shapeNodes,
  takesTargets,
  WHO_FIELDS,
} from '../model/partition-cuts.ts';
import { drawHalf, type Cuts } from '../model/partition-shape.ts';
import { checkWhen, TIME_FIELDS, timelineOf } from '../model/partition-time.ts';
import { nodeNamed, type Node, type Topology } from '../model/topology.ts';
import {
  checkTraffic,
  portsBetween,
  protocolOf,
  rulePeer,
  TRAFFIC_FIELDS,
} from '../model/traffic.ts';

const Params = Type.Object(
  {
    ...WHO_FIELDS,
    ...TRAFFIC_FIELDS,
    how: Type.Optional(
      Type.Enum(['drop', 'reject', 'reset'], {
        description: "silence (default 'drop'), an ICMP error, or a RST",
      }),
    ),
    ...TIME_FIELDS,
    backend: Type.Optional(BackendChoice),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

/** Port 9 (discard, RFC 863): closed nearly everywhere, so that a peer answers and is counted. */
const CLOSED_PORT = 9;
const PROBES_MAX = 4000;

function cutsHere(params: Params, here: Here): Cuts {
  return cutsOf(params, here.topology, here.targets, `${here.faultId}#${here.instance}`);
}

function peersHere(params: Params, here: Here): Node[] {
  const dropped = cutsHere(params, here).get(here.node) ?? [];
  return dropped.flatMap((name) => nodeNamed(here.topology, name) ?? []);
}

/** The rules of this node, and whatever stands against them. */
function rulesHere(params: Params, here: Here, peers: readonly Node[]): RuleTable | Problem[] {
  const names = peers.map(({ name }) => name);
  const problems = checkDistinct(here.topology, here.node, names);
  const backend = chooseBackend(params.backend, here);
  const timeline = timelineOf(params, here, names);
  if (typeof backend !== 'string') problems.push(backend);
  if (timeline && 'message' in timeline) problems.push(timeline);
  const self = nodeNamed(here.topology, here.node);
  if (problems.length > 0 || typeof backend !== 'string' || !self) return problems;
  return {
    backend,
    table: here.token,
    faultId: here.faultId,
    peers: peers.map((peer) => rulePeer(params, self, peer)),
    control: here.control,
    protocol: protocolOf(params),
    how: params.how ?? 'drop',
    perMillion: EVERY_PACKET,
    ...(timeline && !('message' in timeline) && { timeline }),
    timeoutMs: KERNEL_TIMEOUT_MS,
  };
}

/** Whether no pair of controllers loses the port by which they vote. */
function sparesQuorum(params: Params, topology: Topology): boolean {
  if (!params.ports && !params.listeners) return false;
  const controllers = topology.nodes.filter(({ roles }) => roles.includes('controller'));
  const votes = checkTraffic({ listeners: ['controller'] }, topology).length === 0;
  return controllers.every((self) =>
    controllers.every((peer) => {
      const cut = portsBetween(params, self, peer)?.remote ?? [];
      const vote = portsBetween({ listeners: ['controller'] }, self, peer)?.remote ?? [];
      return self === peer || (votes && !cut.some((port) => vote.includes(port)));
    }),
  );
}

const LOSES = { drop: 'no longer hears', reject: 'refuses', reset: 'resets' } as const;

function plan(params: Params, here: Here): Step[] | Problem[] {
  if (cutsHere(params, here).size === 0) {
    return [{ path: '/targets', message: 'these parameters and targets cut nobody from anybody' }];
  }
  const peers = peersHere(params, here);
  if (peers.length === 0) return [];
  const rules = rulesHere(params, here, peers);
  if (Array.isArray(rules)) return rules;
  const names = peers.map(({ name }) => name).join(', ');
  const what = params.listeners ? ` on ${params.listeners.join(', ')} listeners` : '';
  const when = rules.timeline?.flap ? ', on and off in turn' : '';
  return [
    {
      says: `${here.node} ${LOSES[params.how ?? 'drop']} ${names}${what}${when}`,
      act: { act: 'netfilter.apply', rules },
      undo: { act: 'netfilter.delete', backend: rules.backend, table: here.token },
      refresh: { act: 'netfilter.refresh', rules },
    },
  ];
}

/** To every peer: a closed port (it answers RST or ICMP, which is counted here) and its open ones. */
function probesFor(params: Params, here: Here, peers: readonly Node[]): PacketProbe[] {
  const probes: PacketProbe[] = [];
  const self = nodeNamed(here.topology, here.node);
  for (const peer of peers) {
    const agent = agentPortOf(peer);
    const restricted = self && portsBetween(params, self, peer);
    const open = restricted?.remote ?? (peer.listeners ?? []).slice(0, 3).map(({ port }) => port);
    if (agent !== undefined && !restricted) open.push(agent);
    for (const address of peer.addresses) {
      probes.push({ protocol: 'udp', address, port: CLOSED_PORT });
      for (const port of [CLOSED_PORT, ...open]) probes.push({ protocol: 'tcp', address, port });
      if (params.protocols === 'udp')
        for (const port of open) probes.push({ protocol: 'udp', address, port });
    }
  }
  return probes.slice(0, PROBES_MAX);
}

/** Whether probes make something come in that the rule of this peer meets: its answers, or its own. */
function canShow(params: Params, here: Here, peer: Node): boolean {
  const self = nodeNamed(here.topology, here.node);
  const ports = self && portsBetween(params, self, peer);
  const answers = protocolOf(params) !== 'udp' && (!ports || ports.remote.length > 0);
  return answers || (cutsHere(params, here).get(peer.name) ?? []).includes(here.node);
}

function witness(params: Params, here: Here): Witness {
  const peers = peersHere(params, here);
  const shown = peers.filter((peer) => canShow(params, here, peer));
  const backend = chooseBackend(params.backend, here);
  if (peers.length > 0 && shown.length === 0)
    return {
      untestable: `only traffic of ${peers.map(({ name }) => name).join(', ')} would show it`,
    };
  return {
    sample: {
      query: 'packetCounters',
      backend: typeof backend === 'string' ? backend : 'nft',
      table: here.token,
      peers,
    },
    probes: probesFor(params, here, peers),
    // A node in the middle (a bridge) has nothing to drop, and so nothing that could be missing.
    seen: (_before, now) =>
      now.query === 'packetCounters' && shown.every(({ name }) => (now.packets[name] ?? 0) > 0),
    withinMs: 2_000,
    // The RST of a closed port is no packet that is reset or refused.
    ...(params.how !== undefined && params.how !== 'drop' && { patient: true }),
    says:
      peers.length === 0
        ? 'nothing: in this shape this node hears everybody'
        : `drops counted of ${shown.map(({ name }) => name).join(', ')}`,
  };
}

/** Nodes lose each other's packets, by netfilter on the receiving side. */
export const networkPartition = faultKind({
  kind: 'network.partition',
  summary: 'Nodes no longer hear each other: groups, or a shape around the targets.',
  doc: `Packets between the nodes are dropped silently, IPv4 and IPv6, established connections and new
ones, **on the receiving side**: the sender's TCP sees what a dead network looks like (retransmission
and backoff), not an error. With \`how: reject\` the receiver answers with ICMP instead (a new
connection fails at once, an old one goes on trying), with \`how: reset\` with a RST: connections that
are in use break within milliseconds, idle ones when they are next used.

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

**Which traffic.** All of it, or only connections to \`ports\` or to \`listeners\`: \`controller\` (a
broker loses the controllers and keeps its peers), \`replication\` (followers fall behind, clients and
controllers notice nothing), \`client\` (clients lose the targets, the cluster does not), or a listener
by its own name. Ports are those of \`listeners\` in cluster.yaml, or what the brokers' own
configuration says. Where one listener serves clients and replication, \`client\` still cuts only nodes
whose role is client.

**When.** \`flap\` cuts and mends in turn, on all nodes at the same instants, kept by the agents alone.
\`healing: staggered\` mends one pair of nodes after the other over the last half of the duration;
what ends the fault earlier heals everything at once.

**Backends.** nftables, or iptables with ipset (also iptables-legacy). Both count what they meet, and
the kernel ends their rules by itself 30 s after an agent has last renewed them. iptables without
ipset can't: the receipt then says "guard only".

**What a Kafka user sees.** Followers fall out of the ISR after \`replica.lag.time.max.ms\`; a broker
without the controller quorum is fenced after \`broker.session.timeout.ms\`, and its leaders move; with
\`acks=all\` producers time out where \`min.insync.replicas\` is lost. After healing, connections come
back only when TCP's backoff lets them (seconds after a cut of minutes) or clients reconnect.

**What it does not do.** The coordinator's path to the agents stays open (its address to the agent's
port, nothing else of that host), so do loopback and IPv6 neighbour discovery. Nodes that share an
address (NAT) can't be cut from each other and are refused by name. Connections that \`reset\` leaves
idle are not ended: network.reset does that.`,
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
    {
      title: 'from the controllers, not from the peers',
      params: { shape: 'isolate', listeners: ['controller'] },
    },
    { title: 'replication only', params: { shape: 'isolate', listeners: ['replication'] } },
    { title: 'clients lose a broker', params: { shape: 'isolate', listeners: ['client'] } },
    {
      title: 'connections are reset, one port',
      params: { groups: [['n1'], ['n2']], ports: [9092], protocols: 'tcp', how: 'reset' },
    },
    {
      title: 'a link that comes and goes',
      params: { groups: [['n1'], ['n2', 'n3']], flap: { on: '3s', off: ['1s', '4s'] } },
    },
    { title: 'links come back one by one', params: { shape: 'isolate', healing: 'staggered' } },
    {
      title: 'refused, by iptables',
      params: { shape: 'isolate', how: 'reject', backend: 'iptables' },
    },
  ],
  needs: NETFILTER_NEEDS,
  check: (params, topology) => [
    ...checkWho(params, topology),
    ...checkTraffic(params, topology),
    ...checkWhen(params),
  ],
  targets: possibleNodes,
  actors: droppingNodes,
  cuts: cutsOf,
  sparesQuorum: (params, topology) => sparesQuorum(params, topology),
  observe: () => [],
  plan,
  claims: () => [],
  backend: (params, here) => namedBackend(params.backend, here),
  witness,
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
