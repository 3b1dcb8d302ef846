import { Type, type Static, type TSchema } from 'typebox';
import type { Problem } from '../base/problem.ts';
import type { SteerTable } from '../model/act-packets.ts';
import { KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import {
  faultKind,
  type FaultKind,
  type Here,
  type Meets,
  type Need,
  type Step,
  type Witness,
} from '../model/fault.ts';
import { checkDistinct } from '../model/node-address.ts';
import type { PacketShape } from '../model/packet-shape.ts';
import { describeShape } from '../model/packet-shape.ts';
import type { Random } from '../base/random.ts';
import type { Node, NodeName, Topology } from '../model/topology.ts';
import { portsBetween, protocolOf, rulePeer } from '../model/traffic.ts';
import { beyondQdiscs } from '../model/shape-stage.ts';
import { checkAim, linksOf, type Aim, type Link } from './aim.ts';
import {
  isEgress,
  peersFrom,
  PER_KERNEL,
  planEgress,
  preferring,
  witnessEgress,
  type Qdisc,
} from './egress.ts';
import { probesOf } from './probes.ts';

/** What a kind of fault that happens to packets says for itself; the rest is the same for all. */
export interface PacketFault<S extends TSchema> extends Pick<
  FaultKind<S>,
  'kind' | 'summary' | 'doc' | 'colour' | 'params' | 'examples'
> {
  /** What the schema can't say of its own parameters. */
  check(params: Static<S>): Problem[];
  shape(params: Static<S>): PacketShape;
  /** Its own parameters. */
  draw(random: Random): Static<S>;
  /** What of the kernel's can do it, on those who send. */
  qdisc: Qdisc;
  /** Another way to do it, where these parameters choose it or this node has no packet queue. */
  otherwise?: {
    needs: Need[][];
    chosen(params: Static<S>, here: Here): boolean;
    plan(params: Static<S>, here: Here, steer: SteerTable): Step[] | Problem[];
    witness(params: Static<S>, here: Here, byQueue: Looking): Witness;
    backend(params: Static<S>, here: Here): { name: string; note?: string };
  };
}

/** The parameter by which a request insists on one way, or prefers the other than we would. */
export function backendOf<N extends Qdisc['need']>(need: N) {
  return Type.Optional(
    Type.Enum(['nfqueue', need, preferring(need)], {
      description:
        `a packet process where packets come in (default where it works), ${need} where they leave, ` +
        `or ${need} if all that send have it and a packet process if not`,
    }),
  );
}

/** A witness that looks. */
export type Looking = Exclude<Witness, { untestable: string }>;

/** What every such page says of who acts, and what is never touched. */
const COMMON_DOC = `

**Whose packets.** What the targets send to the other nodes (\`direction: inbound\`: what they receive;
\`both\`), or only to \`peers\`, only on \`ports\` or Kafka \`listeners\`, only TCP or UDP. Packets are met
**where they come in**, so the nodes that hear the targets act, each for itself, established connections
included. Several such faults on one node add up, each by its own queue.

**How.** An nftables table of the fault steers packets to a process of its own (NFQUEUE), which decides by
the fault's seed: the same seed decides alike for the same sequence of packets. The path from the
coordinator to the agents, loopback and IPv6 neighbour discovery are excepted. The kernel ends the fault
by itself 30 s after an agent has last refreshed it; where the process dies, packets pass. Packets that
pass because it is too slow, or holds all it may, are counted as \`untouched\` in the receipt.

**By a qdisc** (\`backend: netem\`, of a rate \`htb\`; with \`-or-nfqueue\` after it where all that send
have it and an agent; by itself only where a node that hears the targets has no packet queue). Then the
targets act, as packets leave: an nftables table of the fault puts them into a class of a tree \`fa17:\`
at the root of the network device. The kernel expires its elements after 30 s, and what has no class
passes as ever. A device whose qdiscs somebody has made is refused: they could not be put back exactly.
Faults share the tree: each sort once towards one peer, four at a time. The kernel draws, not the seed;
what a qdisc holds is lost when its fault ends.

**What it does not do.** Packets that a node only forwards (containers behind its bridge) are not met.
When another netfilter fault of the same node ends, the kernel drops what is held at that moment; when
one begins, it sends what is held through the queue again, so that those packets are late twice: packets
in a queue remember their place among the kernel's chains by number.`;

const names = (links: readonly { name: string }[]): string =>
  links.map(({ name }) => name).join(', ');

/** Whose packets a fault means on this node. */
export function sendersTo(aim: Aim, here: Here): Node[] {
  const links = linksOf(aim, here.topology, here.targets);
  return links.filter(({ to }) => to.name === here.node).map(({ from }) => from);
}

/** The packets a fault means on this node; empty where there are none here. */
export function steerOf(aim: Aim, here: Here): SteerTable | Problem[] {
  const links = linksOf(aim, here.topology, here.targets);
  if (links.length === 0) {
    return [
      { path: '/targets', message: 'there is nobody that these targets exchange packets with' },
    ];
  }
  const self = here.topology.nodes.find((node) => node.name === here.node);
  const from = sendersTo(aim, here);
  if (!self || from.length === 0) return [];
  const problems = checkDistinct(
    here.topology,
    here.node,
    from.map(({ name }) => name),
  );
  if (problems.length > 0) return problems;
  return {
    table: here.token,
    faultId: here.faultId,
    peers: from.map((peer) => rulePeer(aim, self, peer)),
    control: here.control,
    protocol: protocolOf(aim),
    timeoutMs: KERNEL_TIMEOUT_MS,
  };
}

/** Whether pings can be met as they are asked: they are meant, and held at most. */
function holdsPings(aim: Aim, { loss, duplicate, corrupt, rate }: PacketShape): boolean {
  const all = protocolOf(aim) === 'all' && aim.ports === undefined && aim.listeners === undefined;
  return all && !loss && !duplicate && !corrupt && !rate;
}

function plan(aim: Aim, here: Here, shape: PacketShape): Step[] | Problem[] {
  const meant = steerOf(aim, here);
  if ('length' in meant) return meant;
  const steer: SteerTable = holdsPings(aim, shape) ? { ...meant, requestsLate: true } : meant;
  if (!here.meets(here.node, 'nfqueue')) {
    const message = `node '${here.node}' has no packet queue, and nothing else does this`;
    return [{ path: '/backend', message, expected: 'other parameters, or other nodes' }];
  }
  return [
    {
      says: `of packets from ${names(steer.peers)}: ${describeShape(shape)}`,
      act: { act: 'packets.steer', steer, shape, seed: here.random.fork('packets').next() },
      undo: { act: 'packets.release', token: here.token },
      refresh: { act: 'packets.refresh', steer },
    },
  ];
}

/** What its packet process has met. */
function witness(aim: Aim, here: Here): Looking {
  const self = here.topology.nodes.find((node) => node.name === here.node);
  const peers = sendersTo(aim, here);
  const ports = peers.map((peer) => self && portsBetween(aim, self, peer));
  const probes = peers.flatMap((peer, index) => probesOf(peer, ports[index]));
  // Nobody here can make a peer call one of our ports, or speak UDP.
  const patient = aim.protocols === 'udp' || ports.some((each) => each?.remote.length === 0);
  return {
    sample: { query: 'steeredPackets', token: here.token },
    probes,
    seen: (_before, now) =>
      now.query === 'steeredPackets' &&
      now.running &&
      now.seen > 0 &&
      peers.every(({ name }) => (now.steered[name] ?? 0) > 0),
    withinMs: 3_000,
    ...(patient ? { patient } : {}),
    weaker: (now) =>
      now.query === 'steeredPackets' && now.untouched > 0
        ? `${now.untouched} packet(s) passed untouched, because the packet process was too slow`
        : undefined,
    says: `packets from ${names(peers)} in the packet process`,
  };
}

function ends(aim: Aim, topology: Topology, selected: NodeName[]): NodeName[] {
  const links = linksOf(aim, topology, selected);
  return [...new Set(links.flatMap(({ from, to }) => [from.name, to.name]))].sort();
}

/** Who hears whom less well. */
function cutsOf(links: readonly Link[]): Map<NodeName, NodeName[]> {
  const cuts = new Map<NodeName, NodeName[]>();
  for (const { from, to } of links) cuts.set(to.name, [...(cuts.get(to.name) ?? []), from.name]);
  return cuts;
}

/** A whole fault kind of what is special about it. */
export function packetFault<S extends TSchema>(own: PacketFault<S>): FaultKind {
  const aimOf = (params: Static<S>): Aim => params;
  const { otherwise, qdisc } = own;
  /** Whether those who send act. */
  const leaves = (
    params: Static<S>,
    topology: Topology,
    selected: readonly NodeName[],
    meets: Meets,
  ): boolean => {
    const links = linksOf(aimOf(params), topology, selected);
    const { backend } = params as { backend?: string };
    return isEgress(qdisc, backend, own.shape(params), links, meets);
  };
  const leavesHere = (params: Static<S>, here: Here): boolean =>
    leaves(params, here.topology, here.targets, here.meets);
  const other = (params: Static<S>, here: Here): typeof otherwise =>
    otherwise?.chosen(params, here) === true ? otherwise : undefined;
  return faultKind<S>({
    ...own,
    doc: own.doc + COMMON_DOC,
    standing: true,
    namesNodes: false,
    needs: [['nfqueue'], ...(otherwise?.needs ?? []), [qdisc.need]],
    check(params, topology) {
      const problems = [...own.check(params), ...checkAim(aimOf(params), topology)];
      const { backend } = params as { backend?: string };
      // Only then is its shape one.
      if (problems.length > 0 || backend !== qdisc.need) return problems;
      const message = beyondQdiscs(own.shape(params));
      return message === undefined ? [] : [{ path: '/backend', message }];
    },
    targets: (params, topology, selected) => ends(aimOf(params), topology, selected),
    actors(params, topology, selected, meets) {
      const links = linksOf(aimOf(params), topology, selected);
      const end = leaves(params, topology, selected, meets) ? 'from' : 'to';
      return [...new Set(links.map((link) => link[end].name))];
    },
    cuts: (params, topology, selected) => cutsOf(linksOf(aimOf(params), topology, selected)),
    observe(params, here) {
      if (!leavesHere(params, here)) return [];
      const addresses = peersFrom(aimOf(params), here).flatMap((peer) => peer.addresses);
      return [{ query: 'egress', addresses }];
    },
    plan(params, here, facts) {
      if (leavesHere(params, here))
        return planEgress(qdisc, aimOf(params), own.shape(params), here, facts);
      const way = other(params, here);
      if (!way) return plan(aimOf(params), here, own.shape(params));
      const steer = steerOf(aimOf(params), here);
      return 'length' in steer ? steer : way.plan(params, here, steer);
    },
    claims: () => [],
    backend(params, here) {
      if (leavesHere(params, here)) return { name: qdisc.need, note: PER_KERNEL };
      return other(params, here)?.backend(params, here) ?? { name: 'nfqueue' };
    },
    witness(params, here) {
      if (leavesHere(params, here)) return witnessEgress(aimOf(params), here);
      const byQueue = witness(aimOf(params), here);
      return other(params, here)?.witness(params, here, byQueue) ?? byQueue;
    },
    draw: (random, topology) => ({
      params: own.draw(random),
      targets: random.pick(topology.nodes).name,
    }),
  });
}
