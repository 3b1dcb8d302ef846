import { Type } from 'typebox';
import { familyOf } from '../base/address.ts';
import { nearMiss } from '../base/near-miss.ts';
import type { Problem } from '../base/problem.ts';
import type { RulePeer } from './act-netfilter.ts';
import { agentPortOf } from './node-address.ts';
import { LISTENER_PURPOSES, type Listener, type Node, type Topology } from './topology.ts';

/**
 * The listeners of a node that a word means: a purpose, or a listener's own name (as in Kafka,
 * whatever its case). A listener without a purpose serves clients and, where the node has none for
 * it alone, replication: Kafka's own default is one listener for both.
 */
export function listenersMeant(node: Node, word: string): Listener[] {
  const listeners = node.listeners ?? [];
  const named = listeners.filter(({ name }) => name.toUpperCase() === word.toUpperCase());
  if (named.length > 0) return named;
  const broker = node.roles.includes('broker');
  const clients = listeners.filter(
    ({ purpose }) => purpose === 'client' || (purpose === undefined && broker),
  );
  if (word === 'client') return clients;
  const own = listeners.filter(({ purpose }) => purpose === word);
  if (word === 'replication' && own.length === 0 && broker) return clients;
  return own;
}

/**
 * Ports of a node's listeners that any of the words means, as far as `other` uses them for that:
 * where one listener serves clients and replication, a cut of clients leaves other brokers alone.
 */
function portsOf(node: Node, words: readonly string[], other: Node): number[] {
  const uses = (word: string): boolean => {
    if (word === 'client') return other.roles.includes('client');
    return word !== 'replication' || other.roles.includes('broker');
  };
  const ports = words
    .filter(uses)
    .flatMap((word) => listenersMeant(node, word).map(({ port }) => port));
  return [...new Set(ports)].sort((left, right) => left - right);
}

/** Parameters that restrict a network fault to some of the traffic between two nodes. */
export const TRAFFIC_FIELDS = {
  ports: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), {
      minItems: 1,
      maxItems: 64,
      title: 'list of ports',
      description: 'only connections to one of these ports, on either node',
    }),
  ),
  listeners: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      minItems: 1,
      maxItems: 16,
      title: 'list of listeners',
      description:
        "only connections to these Kafka listeners: 'client', 'replication', 'controller', or a listener's own name",
    }),
  ),
  protocols: Type.Optional(
    Type.Enum(['tcp', 'udp', 'all'], { description: "default 'all', of listeners 'tcp'" }),
  ),
};

export interface Traffic {
  ports?: number[] | undefined;
  listeners?: string[] | undefined;
  protocols?: 'tcp' | 'udp' | 'all' | undefined;
}

export function protocolOf(traffic: Traffic): 'tcp' | 'udp' | 'all' {
  return traffic.protocols ?? (traffic.listeners && !traffic.ports ? 'tcp' : 'all');
}

/**
 * Of the traffic between two nodes, what is meant: whoever listens. Undefined: everything; both lists
 * empty: these two have nothing of it between them.
 */
export function portsBetween(traffic: Traffic, self: Node, peer: Node): RulePeer['ports'] {
  const { ports = [], listeners = [] } = traffic;
  if (traffic.ports === undefined && traffic.listeners === undefined) return undefined;
  return {
    local: [...new Set([...ports, ...portsOf(self, listeners, peer)])],
    remote: [...new Set([...ports, ...portsOf(peer, listeners, self)])],
  };
}

/** Whether two nodes have anything of that traffic between them. */
export function haveBetween(traffic: Traffic, self: Node, peer: Node): boolean {
  const ports = portsBetween(traffic, self, peer);
  return !ports || ports.local.length + ports.remote.length > 0;
}

/** A peer of `self` as rules see it. */
export function rulePeer(traffic: Traffic, self: Node, peer: Node): RulePeer {
  const rule: RulePeer = {
    name: peer.name,
    ipv4: familyOf(4, peer.addresses),
    ipv6: familyOf(6, peer.addresses),
  };
  const agentPort = agentPortOf(peer);
  if (agentPort !== undefined) rule.agentPort = agentPort;
  const ports = portsBetween(traffic, self, peer);
  if (ports) rule.ports = ports;
  return rule;
}

/** Kafka's nodes of which nobody knows where they listen: a cut of listeners would pass them by. */
function unknownListeners(words: readonly string[], topology: Topology): Problem[] {
  const isConcerned = ({ roles }: Node): boolean =>
    (roles.includes('broker') && words.some((word) => word !== 'controller')) ||
    (roles.includes('controller') && words.some((word) => !OF_BROKERS.includes(word)));
  return topology.nodes
    .filter((node) => !node.listeners && isConcerned(node))
    .map(({ name }) => ({
      path: '/listeners',
      message: `node '${name}' has no 'listeners' in cluster.yaml, and its Kafka could not be asked`,
      expected: `'listeners' of '${name}', 'kafka.bootstrap' with it up and allowed to describe its configuration, or 'ports' here`,
    }));
}

/** What no controller has that is not a broker, too. */
const OF_BROKERS: readonly string[] = ['client', 'replication'];

/** Words that mean no listener of any node. */
export function checkListeners(words: readonly string[], topology: Topology): Problem[] {
  return words.flatMap((word, index) => {
    if (topology.nodes.some((node) => listenersMeant(node, word).length > 0)) return [];
    const known = [
      ...LISTENER_PURPOSES,
      ...new Set(topology.nodes.flatMap((node) => (node.listeners ?? []).map(({ name }) => name))),
    ];
    const problem: Problem = {
      path: `/listeners/${index}`,
      message: `no node is known to have a listener '${word}'`,
    };
    const near = known.includes(word) ? undefined : nearMiss(word, known);
    if (near === undefined)
      problem.expected = `'listeners' of the nodes in cluster.yaml, or 'ports' here`;
    else problem.nearMiss = near;
    return [problem];
  });
}

/** Listeners that no node answers to, and protocols that no listener speaks. */
export function checkTraffic(traffic: Traffic, topology: Topology): Problem[] {
  const unknown = unknownListeners(traffic.listeners ?? [], topology);
  if (unknown.length > 0) return unknown;
  const problems = checkListeners(traffic.listeners ?? [], topology);
  if (traffic.listeners && traffic.protocols === 'udp')
    problems.push({ path: '/protocols', message: 'Kafka listeners speak TCP, never UDP' });
  return problems;
}
