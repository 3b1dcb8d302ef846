import { formatDuration, parseDuration } from '../base/duration.ts';
import { fnv1a64, shortHash } from '../base/hash.ts';
import type { Problem } from '../base/problem.ts';
import { canonicalJson } from '../base/canonical-json.ts';
import { Random } from '../base/random.ts';
import { checkSchema } from '../base/schema.ts';
import { checkFault, kindNamed, targetsOf } from '../faults/registry.ts';
import { DEFAULT_LEASE_MS, type AgentFaultRequest } from '../model/fault-request.ts';
import type { Capability, FaultKind, Here, Meets } from '../model/fault.ts';
import { nodeNamed, type NodeName, type Topology } from '../model/topology.ts';
import { LOCAL_OWNER, type AgentState } from './state.ts';

/** Hash of what was asked for, whoever passes it on: the context is not part of it. */
export function specHashOf(request: AgentFaultRequest): string {
  const { context: _context, ...spec } = request;
  return shortHash(canonicalJson(spec));
}

/** What kernel objects and processes of a fault are named after. */
export function tokenOf(id: string, instance: number): string {
  return `faultline-${shortHash(`${id}/${instance}`)}`;
}

/** A request as the machine goes on with it. */
export interface CheckedRequest {
  kind: FaultKind;
  params: Record<string, unknown>;
  here: Here;
  durationMs: number | undefined;
  leaseMs: number | undefined;
}

/**
 * Everything that can be known without asking the machine.
 * @returns what to go on with, or all that is wrong, with paths from the request.
 */
export function checkRequest(
  state: AgentState,
  request: AgentFaultRequest,
): CheckedRequest | Problem[] {
  const kind = kindNamed(request.kind);
  const params = request.params ?? {};
  const { context } = request;
  const topology: Topology = context?.topology ?? { name: 'standalone', nodes: state.ownNodes };
  const targets = request.targets ?? impliedTargets(state, request, kind);
  const problems = [
    ...checkFault({ ...request, targets }, topology),
    ...checkTimes(state, request),
    ...(context ? [] : checkNames(targets, topology)),
  ];
  if (!nodeNamed(topology, state.node)) {
    problems.push({
      path: '/context/topology/nodes',
      message: `this node, '${state.node}', is not in the topology`,
    });
  }
  if (!kind) return problems;
  problems.push(...unmetNeeds(kind, state.capabilities));
  if (problems.length > 0) return problems;
  const selected = context?.selected ?? (typeof targets === 'string' ? [targets] : (targets ?? []));
  const meets = meetsOf(state, context ? (context.unmet ?? {}) : undefined);
  if (!kind.actors(params, topology, selected, meets).includes(state.node)) {
    return [{ path: '/targets', message: `node '${state.node}' has nothing to do in this fault` }];
  }
  const instance = context?.instance ?? 1;
  const times = timesOf(request);
  const seed = context ? BigInt(context.seed) : fnv1a64(request.id);
  const here: Here = {
    faultId: request.id,
    instance,
    token: tokenOf(request.id, instance),
    node: state.node,
    topology,
    targets: selected,
    meets,
    control: {
      coordinatorAddresses: context?.coordinatorAddresses ?? [],
      agentPort: state.agentPort,
    },
    ...(times.durationMs === undefined ? {} : { durationMs: times.durationMs }),
    random: new Random(seed).fork(request.kind).fork(state.node),
  };
  return { kind, params, here, ...times };
}

/**
 * What the coordinator has seen of all nodes, the same for all. An agent that stands alone takes the
 * others to be like itself.
 */
function meetsOf(state: AgentState, unmet: Record<NodeName, string[]> | undefined): Meets {
  if (unmet) return (node, need) => unmet[node]?.includes(need) !== true;
  const missing = state.capabilities.filter((each) => !each.met).map((each) => each.need);
  return (_node, need) => !missing.includes(need);
}

/** Without a coordinator, a fault asked of an agent is meant for its node. */
function impliedTargets(
  state: AgentState,
  request: AgentFaultRequest,
  kind: FaultKind | undefined,
): string[] | undefined {
  const params = request.params ?? {};
  // The kind can tell only from valid parameters; checkFault says what is wrong with others.
  if (kind === undefined || !checkSchema(kind.params, params).ok) return undefined;
  if (targetsOf(kind, params) !== 'required') return undefined;
  return request.context?.selected ?? [state.node];
}

function checkNames(targets: string | string[] | undefined, topology: Topology): Problem[] {
  const names = typeof targets === 'string' ? [targets] : (targets ?? []);
  return names
    .filter((name) => !nodeNamed(topology, name))
    .map((name) => ({
      path: '/targets',
      message: `'${name}' is no node this agent knows; selectors are the coordinator's business`,
      expected: topology.nodes.map((node) => node.name).join(', '),
    }));
}

function checkTimes(state: AgentState, request: AgentFaultRequest): Problem[] {
  const { durationMs: longestMs } = state.limits;
  const problems: Problem[] = [];
  for (const [path, text] of [
    ['/duration', request.duration],
    ['/lease', request.lease === 'none' ? undefined : request.lease],
  ] as const) {
    const ms = text === undefined ? undefined : parseDuration(text);
    if (ms !== undefined && ms > longestMs) {
      problems.push({
        path,
        message: 'longer than this node allows (maxDuration of its configuration)',
        found: text ?? '',
        expected: `at most ${formatDuration(longestMs)}`,
      });
    }
    if (path === '/lease' && ms === 0)
      problems.push({ path, message: 'a lease must be over zero' });
  }
  return problems;
}

/**
 * The lease covers a dead coordinator: where there is none (no context) and a duration bounds the
 * fault, none applies unless asked for.
 */
function timesOf(request: AgentFaultRequest): {
  durationMs: number | undefined;
  leaseMs: number | undefined;
} {
  const durationMs = request.duration === undefined ? undefined : parseDuration(request.duration);
  if (request.lease === 'none') return { durationMs, leaseMs: undefined };
  if (request.lease !== undefined) return { durationMs, leaseMs: parseDuration(request.lease) };
  const covered = request.context === undefined && durationMs !== undefined;
  return { durationMs, leaseMs: covered ? undefined : DEFAULT_LEASE_MS };
}

/** What this node lacks for a kind, where no alternative of its needs is met. */
function unmetNeeds(kind: FaultKind, capabilities: readonly Capability[]): Problem[] {
  const met = (need: string): boolean =>
    capabilities.some((capability) => capability.need === need && capability.met);
  if (kind.needs.some((set) => set.every(met))) return [];
  const missing = [...new Set(kind.needs.flat())].filter((need) => !met(need));
  return missing.map((need) => {
    const why = capabilities.find((capability) => capability.need === need)?.why ?? 'not probed';
    return {
      path: '/kind',
      message: `${kind.kind} needs '${need}', which this node lacks: ${why}`,
    };
  });
}

export function ownerOf(request: AgentFaultRequest): string {
  return request.context?.owner ?? LOCAL_OWNER;
}
