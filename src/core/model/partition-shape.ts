import type { Random } from '../base/random.ts';
import type { NodeName } from './topology.ts';

/** Who no longer hears whom: a node -> the nodes whose packets it drops. Nobody cut: no entry. */
export type Cuts = ReadonlyMap<NodeName, readonly NodeName[]>;

/** Cuts out of a rule that says whether `hearer` loses what `speaker` sends; order of `nodes`. */
function cutsWhere(
  nodes: readonly NodeName[],
  lost: (hearer: NodeName, speaker: NodeName) => boolean,
): Cuts {
  const cuts = new Map<NodeName, NodeName[]>();
  for (const hearer of nodes) {
    const dropped = nodes.filter((speaker) => speaker !== hearer && lost(hearer, speaker));
    if (dropped.length > 0) cuts.set(hearer, dropped);
  }
  return cuts;
}

/** Nodes of different groups lose each other; a node in no group is untouched (as in Trogdor). */
export function cutGroups(groups: readonly (readonly NodeName[])[]): Cuts {
  const groupOf = new Map(groups.flatMap((group, index) => group.map((node) => [node, index])));
  return cutsWhere(groups.flat(), (a, b) => groupOf.get(a) !== groupOf.get(b));
}

/** Every target loses every other node, the other targets too. */
export function cutIsolate(nodes: readonly NodeName[], targets: readonly NodeName[]): Cuts {
  const alone = new Set(targets);
  return cutsWhere(nodes, (a, b) => alone.has(a) || alone.has(b));
}

/** The targets together against all the rest together. */
export function cutHalves(nodes: readonly NodeName[], targets: readonly NodeName[]): Cuts {
  const side = new Set(targets);
  return cutGroups([nodes.filter((n) => side.has(n)), nodes.filter((n) => !side.has(n))]);
}

/** Half of the nodes, the smaller half where their number is odd. */
export function drawHalf(nodes: readonly NodeName[], random: Random): NodeName[] {
  return random.sample(nodes, Math.floor(nodes.length / 2));
}

/** The rest is two halves that lose each other, while every bridge node keeps hearing both. */
export function cutBridge(
  nodes: readonly NodeName[],
  bridges: readonly NodeName[],
  random: Random,
): Cuts {
  const rest = nodes.filter((node) => !bridges.includes(node));
  return cutHalves(rest, drawHalf(rest, random));
}

/** 'inbound': the targets lose what the rest sends; 'outbound': the rest loses what targets send. */
export function cutOneWay(
  nodes: readonly NodeName[],
  targets: readonly NodeName[],
  direction: 'inbound' | 'outbound',
): Cuts {
  const side = new Set(targets);
  return cutsWhere(nodes, (hearer, speaker) => {
    const target = direction === 'inbound' ? hearer : speaker;
    const other = direction === 'inbound' ? speaker : hearer;
    return side.has(target) && !side.has(other);
  });
}

/**
 * Every node sees a majority (itself counted), and no two see the same one; who sees is seen, so
 * that links fail in both directions. The nodes stand on a ring in a random order, and each keeps
 * its m - 1 nearest (m: smallest majority), half on either side. Where m - 1 is odd, the last link
 * goes across the ring; with an odd number of nodes one of them then keeps one link more, because
 * links come in pairs.
 *
 * @param nodes at least 3: two nodes have only one majority.
 */
export function cutMajoritiesRing(nodes: readonly NodeName[], random: Random): Cuts {
  const ring = random.shuffle(nodes);
  const count = ring.length;
  const degree = Math.floor(count / 2);
  const reach = Math.floor(degree / 2);
  const links = new Set<string>();
  const link = (from: number, to: number): void => {
    const [a, b] = [ring[from % count] ?? '', ring[to % count] ?? ''];
    links.add(`${a} ${b}`).add(`${b} ${a}`);
  };
  for (let index = 0; index < count; index++) {
    for (let step = 1; step <= reach; step++) link(index, index + step);
  }
  if (degree % 2 === 1) {
    const half = Math.floor(count / 2);
    for (let index = 0; index < half; index++) link(index, index + half);
    if (count % 2 === 1) link(count - 1, half - 1);
  }
  return cutsWhere(nodes, (hearer, speaker) => !links.has(`${hearer} ${speaker}`));
}

/** All nodes at either end of a cut. */
export function nodesOfCuts(cuts: Cuts): NodeName[] {
  return [...new Set([...cuts.keys(), ...[...cuts.values()].flat()])].sort();
}
