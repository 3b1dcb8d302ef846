import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { describeProblem } from '../../core/base/problem.ts';
import type { Cluster } from '../../core/model/topology.ts';
import { clusterOf, readTrogdorConfig, type TrogdorNode } from '../../core/trogdor/config.ts';
import { parseExactJson } from '../../core/trogdor/json.ts';

/** Reads trogdor.conf. @throws Failure `bad-trogdor-config` with every problem in it */
export function readTrogdorFile(path: string): TrogdorNode[] {
  const bad = (says: string, cause?: unknown): Failure =>
    new Failure('bad-trogdor-config', `--trogdor-config ${path}: ${says}`, {
      definite: true,
      cause,
    });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw bad(reasonOf(error), error);
  }
  const parsed = parseExactJson(text);
  const read = parsed.ok ? readTrogdorConfig(parsed.value) : parsed;
  if (!read.ok) throw bad(read.problems.map(describeProblem).join('; '));
  return read.value;
}

const lookedUp = async (host: string): Promise<string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * Every address of a node's host; also those of the node's own name, where that is the same host:
 * kafkatest gives one address as hostname, and what runs there is called by names that have more.
 * @throws Failure `bad-host`: its name is not known.
 */
export async function addressesOf({ name, hostname }: TrogdorNode): Promise<string[]> {
  let found: string[];
  try {
    found = await lookedUp(hostname);
  } catch (error) {
    const says = `the host '${hostname}' of node '${name}' is not known: ${reasonOf(error)}`;
    throw new Failure('bad-host', says, { definite: true, cause: error });
  }
  // Most nodes are called as no host is.
  const more = await lookedUp(name).catch(() => []);
  const isSame = more.some((address) => found.includes(address));
  return [...new Set([...found, ...(isSame ? more : [])])];
}

/** The cluster of a coordinator that has no cluster.yaml. @throws Failure `bad-cluster-file`, `bad-host` */
export async function clusterOfTrogdor(nodes: readonly TrogdorNode[]): Promise<Cluster> {
  if (nodes.length === 0) {
    const says = 'no cluster: give --cluster cluster.yaml, or --trogdor-config trogdor.conf';
    throw new Failure('bad-cluster-file', says, { definite: true });
  }
  const found = await Promise.all(
    nodes.map(async (node) => [node, await addressesOf(node)] as const),
  );
  const addresses = new Map(found);
  return clusterOf(nodes, (node) => addresses.get(node) ?? []);
}

/** Both files speak of the same nodes. @throws Failure `bad-trogdor-config` with those that are unknown */
export function checkSameNodes(cluster: Cluster, nodes: readonly TrogdorNode[]): void {
  const known = cluster.nodes.map(({ name }) => name);
  const unknown = nodes.filter(({ name, agentPort }) => agentPort > 0 && !known.includes(name));
  if (unknown.length === 0) return;
  const names = unknown.map((node) => {
    const other = sameHost(cluster, node);
    return other === undefined ? `'${node.name}'` : `'${node.name}' (there called '${other}')`;
  });
  const says = `--trogdor-config names nodes that --cluster does not have: ${names.join(', ')}`;
  const remedy = 'a node must have one name in both';
  throw new Failure('bad-trogdor-config', `${says}; ${remedy}`, { definite: true });
}

/** The node that a cluster has at the same host, whatever it calls it. */
function sameHost({ nodes }: Cluster, { hostname }: TrogdorNode): string | undefined {
  const found = nodes.find(({ name, addresses, agent }) => {
    const host = agent === undefined ? undefined : new URL(agent).hostname;
    return [name, host, ...addresses].includes(hostname);
  });
  return found?.name;
}
