import { parseAddress } from '../base/address.ts';
import type { KnownListeners, Node } from '../model/topology.ts';

const canonical = (host: string): string => parseAddress(host)?.text ?? host.toLowerCase();

/** By node.id where cluster.yaml says it, else by name or address. */
function isOf(node: Node, known: KnownListeners): boolean {
  if (node.kafkaId !== undefined) return node.kafkaId === known.id;
  const names = [node.name, ...node.addresses].map(canonical);
  return known.hosts.some((host) => names.includes(canonical(host)));
}

/**
 * The nodes of cluster.yaml with the listeners that Kafka's own configuration says, where cluster.yaml
 * says none. Nodes that can't be told apart (two brokers at one address) stay without.
 */
export function withKnownListeners(
  declared: readonly Node[],
  known: readonly KnownListeners[],
): Node[] {
  return declared.map((node) => {
    if (node.listeners) return node;
    const own = known.filter((each) => isOf(node, each));
    const [only] = own;
    const shared = declared.some(
      (other) => other !== node && own.some((each) => isOf(other, each)),
    );
    if (!only || shared || own.some(({ id }) => id !== only.id)) return node;
    return { ...node, listeners: only.listeners };
  });
}
