import type { Problem } from '../base/problem.ts';
import type { ShapeTable } from '../model/act-shaping.ts';
import { KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import type { Facts, Here, Meets, Step } from '../model/fault.ts';
import { checkDistinct } from '../model/node-address.ts';
import { describeShape, type PacketShape } from '../model/packet-shape.ts';
import type { EgressAnswer } from '../model/query-shaping.ts';
import { beyondQdiscs, stageOf } from '../model/shape-stage.ts';
import { nodeNamed, type Node } from '../model/topology.ts';
import { portsBetween, protocolOf, rulePeer } from '../model/traffic.ts';
import { linksOf, type Aim, type Link } from './aim.ts';
import { probesOf } from './probes.ts';
import type { Looking } from './packet-kind.ts';

/** Which qdisc of the kernel can do a kind's work on packets as they leave; also the need. */
export interface Qdisc {
  need: 'netem' | 'htb';
  /** Taken by itself where a packet queue is missing. */
  byItself: boolean;
}

/** What a qdisc can't promise. */
export const PER_KERNEL =
  'the kernel draws, not the seed; packets that are still merged when they leave fare as one; what a qdisc holds is lost when the fault ends';

/** The word for a qdisc where all that send have it, and a packet process elsewhere. */
export const preferring = <N extends Qdisc['need']>(need: N) => `${need}-or-nfqueue` as const;

/** Whether a fault is a qdisc's, on those who send. All nodes decide alike. */
export function isEgress(
  qdisc: Qdisc,
  wanted: string | undefined,
  shape: PacketShape,
  links: readonly Link[],
  meets: Meets,
): boolean {
  if (wanted === preferring(qdisc.need)) {
    const able = links.every(
      ({ from }) => from.agent !== undefined && meets(from.name, qdisc.need),
    );
    return able && beyondQdiscs(shape) === undefined;
  }
  if (wanted !== undefined) return wanted === qdisc.need;
  if (!qdisc.byItself || beyondQdiscs(shape) !== undefined) return false;
  const queues = links.every(({ to }) => meets(to.name, 'nfqueue'));
  return !queues && links.every(({ from }) => meets(from.name, qdisc.need));
}

/** Those that this node sends to. */
export function peersFrom(aim: Aim, here: Here): Node[] {
  const links = linksOf(aim, here.topology, here.targets);
  return links.flatMap(({ from, to }) => (from.name === here.node ? [to] : []));
}

const at = (path: string, message: string, expected?: string): Problem =>
  expected === undefined ? { path, message } : { path, message, expected };

function egressIn(facts: Facts): EgressAnswer {
  const answer = facts.find((fact) => fact.query === 'egress');
  return answer ?? { query: 'egress', devices: {}, foreign: {}, shapers: [] };
}

/** Everything that stands against it: nothing has been touched yet. */
function problemsOf(shape: PacketShape, peers: readonly Node[], facts: EgressAnswer): Problem[] {
  const problems: Problem[] = [];
  for (const { name, addresses } of peers) {
    const lost = addresses.filter((address) => facts.devices[address] === undefined);
    if (lost.length > 0)
      problems.push(at('/peers', `there is no way to ${name} (${lost.join(', ')})`));
    if (addresses.some((address) => facts.devices[address] === 'lo'))
      problems.push(at('/peers', `${name} lives on this machine: its packets leave by no device`));
  }
  const instead = `'backend: nfqueue', or a device with the kernel's own qdisc`;
  for (const why of Object.values(facts.foreign))
    problems.push(at('/backend', `${why}: it could not be put back exactly`, instead));
  const { sort } = stageOf(shape);
  const names = new Set(peers.map(({ name }) => name));
  for (const rival of facts.shapers) {
    if (rival.sort !== sort || !rival.peers.some((name) => names.has(name))) continue;
    const message = `fault '${rival.faultId}' does the same to these packets, and a qdisc does it once`;
    problems.push(at('/backend', message, `'backend: nfqueue', where such faults add up`));
  }
  return problems;
}

/** The plan of a node that sends. */
export function planEgress(
  qdisc: Qdisc,
  aim: Aim,
  shape: PacketShape,
  here: Here,
  facts: Facts,
): Step[] | Problem[] {
  const self = nodeNamed(here.topology, here.node);
  const peers = peersFrom(aim, here);
  if (!self || peers.length === 0) return [];
  if (!here.meets(here.node, qdisc.need))
    return [at('/backend', `node '${here.node}' has no ${qdisc.need} in its kernel`)];
  const names = peers.map(({ name }) => name);
  const egress = egressIn(facts);
  const problems = [
    ...checkDistinct(here.topology, here.node, names),
    ...problemsOf(shape, peers, egress),
  ];
  if (problems.length > 0) return problems;
  const shaping: ShapeTable = {
    table: here.token,
    faultId: here.faultId,
    peers: peers.map((peer) => rulePeer(aim, self, peer)),
    control: here.control,
    protocol: protocolOf(aim),
    timeoutMs: KERNEL_TIMEOUT_MS,
    devices: [...new Set(Object.values(egress.devices))].sort(),
    shape,
  };
  return [
    {
      says: `of packets to ${names.join(', ')}: ${describeShape(shape)}`,
      act: { act: 'shaping.apply', shaping },
      undo: { act: 'shaping.release', token: here.token },
      refresh: { act: 'shaping.refresh', shaping },
    },
  ];
}

/** Its own probes are met as they leave. */
export function witnessEgress(aim: Aim, here: Here): Looking {
  const self = nodeNamed(here.topology, here.node);
  const peers = peersFrom(aim, here);
  const ports = peers.map((peer) => self && portsBetween(aim, self, peer));
  const patient = aim.protocols === 'udp' || ports.some((each) => each?.remote.length === 0);
  return {
    sample: {
      query: 'packetCounters',
      backend: 'nft',
      table: here.token,
      peers: peers.map(({ name, addresses }) => ({ name, addresses })),
    },
    probes: peers.flatMap((peer, index) => probesOf(peer, ports[index])),
    seen: (_before, now) =>
      now.query === 'packetCounters' && peers.every(({ name }) => (now.packets[name] ?? 0) > 0),
    withinMs: 3_000,
    ...(patient ? { patient } : {}),
    says: `packets to ${peers.map(({ name }) => name).join(', ')} in their class`,
  };
}
