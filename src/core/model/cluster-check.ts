import { nearMiss } from '../base/near-miss.ts';
import { invalid, valid, type Checked, type Problem } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { Cluster } from './topology.ts';

/** Client property names this much is known of, for near misses only; others are passed on. */
const PROPERTIES = ['security.protocol', 'sasl.mechanism', 'sasl.jaas.config'] as const;

/** What was where before, for values that must differ between nodes. */
class Unique {
  readonly #seen = new Map<string, string>();

  check(key: string, path: string, message: (before: string) => string): Problem[] {
    const before = this.#seen.get(key);
    if (before === undefined) {
      this.#seen.set(key, path);
      return [];
    }
    return [{ path, message: message(before), found: JSON.stringify(key) }];
  }
}

function checkBootstrap(text: string): Problem[] {
  return text.split(',').flatMap((part): Problem[] => {
    const port = Number(
      /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/.exec(part.trim())?.[1],
    );
    if (port >= 1 && port <= 65_535) return [];
    return [
      {
        path: '/kafka/bootstrap',
        message: `'${part.trim()}' is no host:port`,
        expected: 'host:port, comma-separated, as n1:9092,n2:9092',
      },
    ];
  });
}

/** Two nodes may share an address only where their listeners tell them apart (one machine, many ports). */
function sharable(cluster: Cluster, address: string): boolean {
  const there = cluster.nodes.filter((node) => node.addresses.includes(address));
  const ports = there.flatMap((node) => node.listeners?.map((each) => each.port) ?? []);
  return (
    there.every((node) => (node.listeners?.length ?? 0) > 0) && new Set(ports).size === ports.length
  );
}

function checkNodes(cluster: Cluster): Problem[] {
  const problems: Problem[] = [];
  const [names, agents, addresses, ids] = [new Unique(), new Unique(), new Unique(), new Unique()];
  for (const [index, node] of cluster.nodes.entries()) {
    const path = `/nodes/${index}`;
    const twice = (what: string) => (before: string) => `${what} stands twice, also at ${before}`;
    problems.push(...names.check(node.name, `${path}/name`, twice(`node '${node.name}'`)));
    if (node.agent !== undefined) {
      problems.push(...checkUrl(node.agent, `${path}/agent`));
      problems.push(...agents.check(node.agent, `${path}/agent`, twice('this agent')));
    }
    if (node.kafkaId !== undefined)
      problems.push(...ids.check(`${node.kafkaId}`, `${path}/kafkaId`, twice('this Kafka id')));
    for (const [at, address] of node.addresses.entries()) {
      if (sharable(cluster, address)) continue;
      problems.push(
        ...addresses.check(address, `${path}/addresses/${at}`, twice(`address ${address}`)),
      );
    }
    const roles = new Unique();
    for (const [at, role] of node.roles.entries())
      problems.push(...roles.check(role, `${path}/roles/${at}`, twice(`role '${role}'`)));
    const ports = new Unique();
    for (const [at, { port }] of (node.listeners ?? []).entries())
      problems.push(...ports.check(`${port}`, `${path}/listeners/${at}/port`, twice('this port')));
  }
  return problems;
}

function checkUrl(url: string, path: string): Problem[] {
  const port = /^https?:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?$/.exec(url);
  const isSound = port !== null && (port[1] === undefined || Number(port[1]) <= 65_535);
  if (isSound) return [];
  return [
    { path, message: 'not the base URL of an agent', found: url, expected: 'http://HOST:PORT' },
  ];
}

/**
 * Checks a cluster.yaml that was read.
 * @returns the cluster, or every problem with its path: of shape, and of sense where the shape is right.
 */
export function checkCluster(document: unknown): Checked<Cluster> {
  const checked = checkSchema(Cluster, document);
  if (!checked.ok) return checked;
  const cluster = checked.value;
  const problems = [
    ...checkNodes(cluster),
    ...checkBootstrap(cluster.kafka?.bootstrap ?? 'none:1'),
  ];
  for (const name of Object.keys(cluster.kafka?.properties ?? {})) {
    const near = nearMiss(name, PROPERTIES);
    if (name.includes('.') || near === undefined) continue;
    const path = `/kafka/properties/${name}`;
    problems.push({ path, message: `no client property is called '${name}'`, nearMiss: near });
  }
  return problems.length === 0 ? valid(cluster) : invalid(...problems);
}
