import { nearMiss } from '../base/near-miss.ts';
import { invalid, valid, type Checked, type Problem } from '../base/problem.ts';
import type { Random } from '../base/random.ts';
import type { Targets } from '../model/fault-request.ts';
import { isLive, parseSelector } from '../model/selector-parse.ts';
import type { Selector } from '../model/selector.ts';
import {
  ROLES,
  type ClusterSnapshot,
  type Node,
  type NodeName,
  type Topology,
} from '../model/topology.ts';

/** What a selector is resolved against. */
export interface SelectorWorld {
  topology: Topology;
  /** Absent: nobody looks at the cluster. */
  snapshot?: ClusterSnapshot;
}

/** Reads `targets` of a request: an expression, or plain node names. */
export function readTargets(targets: Targets): Checked<Selector> {
  if (typeof targets === 'string') return parseSelector(targets);
  const names = [...new Set(targets)].map((name): Selector => ({ select: 'node', name }));
  return valid(names.reduce((left, right) => ({ select: 'union', left, right })));
}

/** Targets as people write them. */
export function targetsText(targets: Targets): string {
  return typeof targets === 'string' ? targets : targets.join(' | ');
}

/** The nodes behind Kafka's node ids: by kafkaId, else by address, and by port where many share one. */
export function nodesOfKafkaId(id: number, world: SelectorWorld): Node[] {
  const { nodes } = world.topology;
  const named = nodes.filter((node) => node.kafkaId === id);
  if (named.length > 0) return named;
  const broker = world.snapshot?.brokers.find((each) => each.id === id);
  if (broker === undefined) return [];
  const there = nodes.filter(
    (node) =>
      node.kafkaId === undefined &&
      (node.addresses.includes(broker.host) || node.name === broker.host),
  );
  if (there.length < 2) return there;
  return there.filter((node) => node.listeners?.some((each) => each.port === broker.port));
}

class Resolver {
  readonly problems: Problem[] = [];
  readonly #world: SelectorWorld;
  readonly #random: Random;

  constructor(world: SelectorWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  #problem(message: string, extra: Partial<Problem> = {}): Set<NodeName> {
    const known = this.problems.some((problem) => problem.message === message);
    if (!known) this.problems.push({ path: '', message, ...extra });
    return new Set();
  }

  /** @param place where in the expression: makes each pick's chance its own. */
  resolve(selector: Selector, place: string): Set<NodeName> {
    const { topology, snapshot } = this.#world;
    switch (selector.select) {
      case 'node':
        return this.#node(selector.name);
      case 'role':
        return this.#role(selector.role);
      case 'rack':
        return this.#rack(selector.rack);
      case 'leader':
      case 'followers':
      case 'isr':
        return this.#topicPartition(selector);
      case 'controller.active': {
        const id = snapshot?.activeController ?? -1;
        return id < 0
          ? this.#problem(`the active controller is not known${this.#why()}`)
          : this.#kafkaIds([id], 'the active controller');
      }
      case 'controller.quorum': {
        const voters = snapshot?.voters ?? [];
        if (voters.length > 0) return this.#kafkaIds(voters, 'a voter');
        const controllers = topology.nodes.filter((node) => node.roles.includes('controller'));
        return new Set(controllers.map((node) => node.name));
      }
      case 'pick':
        return this.#pick(selector.how, this.resolve(selector.of, `${place}o`), place);
      case 'random': {
        const from = this.resolve(selector.of, `${place}o`);
        return selector.count > from.size && from.size > 0
          ? this.#problem(`random(${selector.count}) of ${from.size} node(s)`)
          : this.#sample(from, selector.count, place);
      }
      case 'union':
      case 'intersection':
      case 'difference': {
        const left = this.resolve(selector.left, `${place}l`);
        const right = this.resolve(selector.right, `${place}r`);
        if (selector.select === 'union') return new Set([...left, ...right]);
        const both = selector.select === 'intersection';
        return new Set([...left].filter((name) => right.has(name) === both));
      }
    }
  }

  #why(): string {
    const { snapshot } = this.#world;
    if (snapshot === undefined) return ': cluster.yaml has no kafka.bootstrap to look at';
    return snapshot.error === undefined ? '' : `: ${snapshot.error}`;
  }

  #node(name: NodeName): Set<NodeName> {
    const names = this.#world.topology.nodes.map((node) => node.name);
    if (names.includes(name)) return new Set([name]);
    const near = nearMiss(name, names);
    return this.#problem(
      `no node is called '${name}'`,
      near === undefined ? { expected: names.slice(0, 20).join(', ') } : { nearMiss: near },
    );
  }

  #role(role: string): Set<NodeName> {
    if (!(ROLES as readonly string[]).includes(role)) {
      const near = nearMiss(role, ROLES);
      return this.#problem(`no role is called '${role}'`, {
        expected: ROLES.join(', '),
        ...(near === undefined ? {} : { nearMiss: near }),
      });
    }
    const nodes = this.#world.topology.nodes.filter((node) =>
      (node.roles as string[]).includes(role),
    );
    return new Set(nodes.map((node) => node.name));
  }

  #rack(rack: string): Set<NodeName> {
    const { nodes } = this.#world.topology;
    const there = nodes.filter((node) => node.rack === rack);
    if (there.length > 0) return new Set(there.map((node) => node.name));
    const racks = [...new Set(nodes.flatMap((node) => node.rack ?? []))];
    const near = nearMiss(rack, racks);
    return this.#problem(`no node stands in rack '${rack}'`, {
      ...(racks.length === 0 ? {} : { expected: racks.join(', ') }),
      ...(near === undefined ? {} : { nearMiss: near }),
    });
  }

  #topicPartition(
    selector: Extract<Selector, { select: 'leader' | 'followers' | 'isr' }>,
  ): Set<NodeName> {
    const { select, topic, partition } = selector;
    const text = `${select}(${topic}-${partition})`;
    const known = this.#world.snapshot?.topicPartitions ?? [];
    const state = known.find((each) => each.topic === topic && each.partition === partition);
    if (state === undefined) {
      const names = [...new Set(known.map((each) => each.topic))];
      const near = nearMiss(topic, names);
      const says = names.includes(topic)
        ? `topic '${topic}' has no topic-partition ${partition}`
        : `topic '${topic}' is not known${this.#why()}`;
      return this.#problem(
        `${text}: ${says}`,
        near === undefined || near === topic ? {} : { nearMiss: near },
      );
    }
    if (select === 'isr') return this.#kafkaIds(state.isr, text);
    if (select === 'followers') {
      const followers = state.replicas.filter((id) => id !== state.leader);
      return this.#kafkaIds(followers, text);
    }
    return state.leader < 0
      ? this.#problem(`${text}: there is no leader now`)
      : this.#kafkaIds([state.leader], text);
  }

  #kafkaIds(ids: readonly number[], what: string): Set<NodeName> {
    const names = new Set<NodeName>();
    for (const id of ids) {
      const nodes = nodesOfKafkaId(id, this.#world);
      if (nodes.length === 0)
        this.#problem(`${what} is Kafka node ${id}, which no node of cluster.yaml is`, {
          expected: `a node with kafkaId: ${id}, or with its address`,
        });
      for (const node of nodes) names.add(node.name);
    }
    return names;
  }

  #pick(
    how: 'one' | 'minority' | 'majority' | 'all',
    from: Set<NodeName>,
    place: string,
  ): Set<NodeName> {
    const size = from.size;
    if (how === 'all' || size === 0) return from;
    if (how === 'one') return this.#sample(from, 1, place);
    if (how === 'majority') return this.#sample(from, Math.floor(size / 2) + 1, place);
    const minority = Math.ceil(size / 2) - 1;
    if (minority === 0) return this.#problem(`a minority of ${size} node(s) is nobody`);
    return this.#sample(from, minority, place);
  }

  #sample(from: Set<NodeName>, count: number, place: string): Set<NodeName> {
    return new Set(this.#random.fork(`selector:${place}`).sample(inOrder(from), count));
  }
}

/** By code units: the same on every machine. */
function inOrder(names: Iterable<NodeName>): NodeName[] {
  return [...names].sort();
}

/**
 * Resolves a selector. Pure: the same world and seed give the same nodes, in order of name.
 * @returns node names, at least one; or every problem.
 */
export function resolveSelector(
  selector: Selector,
  world: SelectorWorld,
  random: Random,
): Checked<NodeName[]> {
  const resolver = new Resolver(world, random);
  const names = inOrder(resolver.resolve(selector, ''));
  if (resolver.problems.length > 0) return invalid(...resolver.problems);
  if (names.length === 0) return invalid({ path: '', message: 'the selector names nobody' });
  return valid(names);
}

/** The problems that a selector has with this topology whatever the cluster does. */
export function checkSelector(selector: Selector, topology: Topology, random: Random): Problem[] {
  if (!isLive(selector)) {
    const resolved = resolveSelector(selector, { topology }, random);
    return resolved.ok ? [] : resolved.problems;
  }
  return staticParts(selector).flatMap((part) => checkSelector(part, topology, random));
}

/** The largest parts of a live selector that are not live themselves. */
function staticParts(selector: Selector): Selector[] {
  if (!isLive(selector)) return [selector];
  if ('of' in selector) return staticParts(selector.of);
  if ('left' in selector) return [...staticParts(selector.left), ...staticParts(selector.right)];
  return [];
}
