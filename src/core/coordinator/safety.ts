import type { Problem } from '../base/problem.ts';
import { parseRatio } from '../base/ratio.ts';
import type { FaultRequest } from '../model/fault-request.ts';
import type { Limits } from '../model/scenario.ts';
import { ROLES, type ClusterSnapshot, type NodeName, type Topology } from '../model/topology.ts';
import { nodesOfKafkaId } from './selectors.ts';

/** What one fault does to the cluster, as far as limits are concerned. */
export interface Blast {
  fault: string;
  /** All nodes that may be harmed. */
  targets: readonly NodeName[];
  /** Of a network partition: who no longer hears whom. Its targets count by what they lose. */
  cuts?: readonly (readonly [NodeName, readonly NodeName[]])[];
  /** Its cuts leave the controllers' own connections alone. */
  sparesQuorum?: boolean;
}

export type LimitName = 'nodes' | 'roleShare' | 'quorum' | 'minInsyncReplicas';

/** A limit that would be passed, by name, and how. */
export interface Violation {
  limit: LimitName;
  message: string;
}

/** What a cluster has without saying so: its controllers keep their majority. */
export const DEFAULT_LIMITS: Limits = { keepQuorum: true };

/** Pairs that no longer hear each other in at least one direction, as 'left right'. */
function severed(blasts: readonly Blast[]): Set<string> {
  const pairs = new Set<string>();
  for (const { cuts = [] } of blasts) {
    for (const [deaf, unheard] of cuts) {
      for (const name of unheard) pairs.add(`${deaf} ${name}`).add(`${name} ${deaf}`);
    }
  }
  return pairs;
}

/**
 * The nodes that suffer: those a fault acts on, and of cut nodes all but the largest set around one
 * node that still hears it. (An isolated node suffers, the rest of the cluster does not.)
 */
export function harmedNodes(blasts: readonly Blast[]): Set<NodeName> {
  const harmed = new Set<NodeName>();
  const cut = new Set<NodeName>();
  for (const blast of blasts) {
    const into = blast.cuts === undefined ? harmed : cut;
    for (const name of blast.targets) into.add(name);
  }
  const apart = severed(blasts);
  const names = [...cut].filter((name) => !harmed.has(name)).sort();
  let best: NodeName[] = [];
  for (const centre of names) {
    const around = names.filter((name) => name === centre || !apart.has(`${centre} ${name}`));
    if (around.length > best.length) best = around;
  }
  for (const name of names) if (!best.includes(name)) harmed.add(name);
  return harmed;
}

/** Whether some controller still reaches a majority of the quorum, itself included. */
function quorumLeft(voters: readonly NodeName[], blasts: readonly Blast[]): number {
  const struck = new Set(
    blasts.filter((blast) => blast.cuts === undefined).flatMap((blast) => blast.targets),
  );
  const apart = severed(blasts.filter((blast) => blast.sparesQuorum !== true));
  const alive = voters.filter((name) => !struck.has(name));
  const reach = alive.map(
    (centre) => alive.filter((name) => name === centre || !apart.has(`${centre} ${name}`)).length,
  );
  return Math.max(0, ...reach);
}

function checkNodes(limits: Limits, harmed: Set<NodeName>): Violation[] {
  if (limits.nodes === undefined || harmed.size <= limits.nodes) return [];
  return [
    {
      limit: 'nodes',
      message: `${harmed.size} nodes would be harmed at once (${[...harmed].sort().join(', ')}); the limit is ${limits.nodes}`,
    },
  ];
}

function checkRoleShare(limits: Limits, topology: Topology, harmed: Set<NodeName>): Violation[] {
  const share = limits.roleShare === undefined ? undefined : parseRatio(limits.roleShare);
  if (share === undefined) return [];
  const violations: Violation[] = [];
  for (const role of ROLES) {
    const all = topology.nodes.filter((node) => node.roles.includes(role));
    const struck = all.filter((node) => harmed.has(node.name));
    if (struck.length * share.denominator <= all.length * share.numerator) continue;
    violations.push({
      limit: 'roleShare',
      message: `${struck.length} of ${all.length} nodes with role ${role} would be harmed at once; the limit is ${limits.roleShare}`,
    });
  }
  return violations;
}

function checkQuorum(limits: Limits, topology: Topology, blasts: readonly Blast[]): Violation[] {
  if (limits.keepQuorum === false) return [];
  const violations: Violation[] = [];
  for (const role of ['controller', 'zookeeper'] as const) {
    const voters = topology.nodes
      .filter((node) => node.roles.includes(role))
      .map((node) => node.name);
    const needed = Math.floor(voters.length / 2) + 1;
    const left = quorumLeft(voters, blasts);
    // One voter is its own majority: any fault on it passes the limit, and must say why it may.
    if (voters.length === 0 || left >= needed) continue;
    violations.push({
      limit: 'quorum',
      message: `of ${voters.length} nodes with role ${role}, ${left} would be left unharmed and in reach of each other; a majority needs ${needed}`,
    });
  }
  return violations;
}

function checkInsync(
  limits: Limits,
  topology: Topology,
  snapshot: ClusterSnapshot | undefined,
  harmed: Set<NodeName>,
): Violation[] {
  if (limits.keepMinInsyncReplicas !== true) return [];
  const limit = 'minInsyncReplicas' as const;
  if (snapshot === undefined || snapshot.error !== undefined) {
    const why = snapshot?.error ?? 'cluster.yaml has no kafka.bootstrap';
    return [{ limit, message: `in-sync replicas are not known: ${why}` }];
  }
  const short: string[] = [];
  for (const state of snapshot.topicPartitions) {
    const known = snapshot.minInsyncReplicas?.[state.topic];
    // What a topic of three replicas is usually told to keep, where the view does not know.
    const needed = known ?? Math.max(1, state.replicas.length - 1);
    const left = state.isr.filter(
      (id) => !nodesOfKafkaId(id, { topology, snapshot }).some((node) => harmed.has(node.name)),
    );
    if (left.length >= needed || left.length === state.isr.length) continue;
    const assumed = known === undefined ? ', assumed: its configuration is not known' : '';
    const says = `${left.length} left of ${needed} needed${assumed}`;
    short.push(`${state.topic}-${state.partition} (${says})`);
  }
  if (short.length === 0) return [];
  const more = short.length > 5 ? ` and ${short.length - 5} more` : '';
  return [
    { limit, message: `in-sync replicas would be lost of ${short.slice(0, 5).join(', ')}${more}` },
  ];
}

/**
 * Which limits a new fault would pass, together with all that stand or are about to. A fault that
 * harms nobody passes none, whatever the others do.
 */
export function checkLimits(
  limits: Limits,
  world: { topology: Topology; snapshot?: ClusterSnapshot },
  standing: readonly Blast[],
  next: Blast,
): Violation[] {
  if (next.targets.length === 0) return [];
  const blasts = [...standing, next];
  const harmed = harmedNodes(blasts);
  return [
    ...checkNodes(limits, harmed),
    ...checkRoleShare(limits, world.topology, harmed),
    ...checkQuorum(limits, world.topology, blasts),
    ...checkInsync(limits, world.topology, world.snapshot, harmed),
  ];
}

/** The violations that a request's `override` does not name, as problems; the others it may pass. */
export function refusedBy(
  violations: readonly Violation[],
  override: FaultRequest['override'],
): Problem[] {
  return violations
    .filter((violation) => override?.limits.includes(violation.limit) !== true)
    .map((violation) => ({
      path: '/targets',
      message: `limit '${violation.limit}': ${violation.message}`,
      expected: `fewer targets, or override {limits: ['${violation.limit}'], reason}`,
    }));
}
