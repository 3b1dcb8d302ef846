import { parseAddress } from '../base/address.ts';
import type { Problem } from '../base/problem.ts';
import { nodeNamed, type Node, type NodeName, type Topology } from './topology.ts';

/** The port in its agent's URL. */
export function agentPortOf(node: Node): number | undefined {
  if (node.agent === undefined) return undefined;
  const port = /:([0-9]{1,5})$/.exec(node.agent)?.[1];
  if (port !== undefined) return Number(port);
  return node.agent.startsWith('https:') ? 443 : 80;
}

/** Texts under which two nodes would be the same to a rule. */
function canonical(node: Node): string[] {
  return node.addresses.map((address) => parseAddress(address)?.text ?? '');
}

/**
 * Addresses that are none, and nodes that a rule by source address could not tell apart.
 * @param self the node that would drop; @param dropped whose packets.
 */
export function checkDistinct(
  topology: Topology,
  self: NodeName,
  dropped: readonly NodeName[],
): Problem[] {
  const problems: Problem[] = [];
  for (const name of dropped) {
    const peer = nodeNamed(topology, name);
    if (!peer) {
      problems.push({ path: '', message: `there is no node '${name}'` });
      continue;
    }
    for (const address of peer.addresses) {
      if (!parseAddress(address)) {
        problems.push({
          path: '',
          message: `node '${name}' has '${address}' for an address: rules need IPv4 or IPv6`,
        });
      }
    }
    const own = new Set(canonical(peer).filter((text) => text !== ''));
    for (const other of topology.nodes) {
      // Of two dropped peers that share one, the rule of the first would count for both.
      const told = dropped.includes(other.name) && other.name < name;
      if (other.name === name || told) continue;
      const shared = canonical(other).find((text) => own.has(text));
      if (shared === undefined) continue;
      const whom = other.name === self ? 'this node' : `'${other.name}'`;
      problems.push({
        path: '',
        message: `'${name}' and ${whom} share the address ${shared}: they can't be told apart`,
      });
    }
  }
  return problems;
}
