import { durationMs } from '../base/duration.ts';
import { fnv1a64 } from '../base/hash.ts';
import { parseInstant } from '../base/instant.ts';
import { invalid, under, valid, type Checked, type Problem } from '../base/problem.ts';
import { Random } from '../base/random.ts';
import { checkFault, kindNamed } from '../faults/registry.ts';
import type { FaultRequest } from '../model/fault-request.ts';
import { meetsAllBut, type Capability, type FaultKind, type Need } from '../model/fault.ts';
import type { Limits } from '../model/scenario.ts';
import { isLive } from '../model/selector-parse.ts';
import type { Selector } from '../model/selector.ts';
import {
  nodeNamed,
  type ClusterSnapshot,
  type NodeName,
  type Topology,
} from '../model/topology.ts';
import { checkLimits, refusedBy, type Blast } from './safety.ts';
import { checkSelector, readTargets, resolveSelector, targetsText } from './selectors.ts';

/** Everything a request is judged by. */
export interface AdmissionWorld {
  topology: Topology;
  snapshot?: ClusterSnapshot;
  limits: Limits;
  /** By node; a node whose agent has not said yet is not judged by it. */
  capabilities: ReadonlyMap<NodeName, readonly Capability[]>;
  /** The other faults that stand or are about to. */
  standing: readonly Blast[];
}

/** Whom a fault means, at one moment. */
export interface Resolution {
  expression?: string;
  /** Whether the expression depends on the live cluster. */
  live: boolean;
  selected: NodeName[];
  targets: NodeName[];
  actors: NodeName[];
  /** Where needs that the kind has alternatives for are not met, as far as agents have said. */
  unmet?: Record<NodeName, Need[]>;
  blast: Blast;
}

/** Which occurrence of which fault is judged: its picks come from these. */
export interface Occurrence {
  id: string;
  instance: number;
}

function randomOf(occurrence: Occurrence): Random {
  return new Random(fnv1a64(`${occurrence.id}#${occurrence.instance}`));
}

/** All that is wrong with a request whatever the cluster does now: checked as soon as it arrives. */
export function checkRequest(request: FaultRequest, topology: Topology, wallMs: number): Problem[] {
  const problems = checkFault(request, topology);
  if (request.targets !== undefined) {
    const selector = readTargets(request.targets);
    const found = selector.ok
      ? checkSelector(selector.value, topology, randomOf({ id: request.id, instance: 1 }))
      : selector.problems;
    problems.push(...under('/targets', found));
  }
  return [...problems, ...checkStart(request, wallMs)];
}

/**
 * When it is to start, and how often.
 * @param fine whether the shape of a part ('/every') is right; all are, where it is left out.
 */
export function checkStart(
  request: Pick<FaultRequest, 'startAt' | 'after' | 'every'>,
  wallMs: number,
  fine: (part: string) => boolean = () => true,
): Problem[] {
  const problems: Problem[] = [];
  if (request.startAt !== undefined && request.after !== undefined)
    problems.push({ path: '/after', message: "either 'startAt' or 'after', not both" });
  if (request.startAt !== undefined && fine('/startAt')) {
    const startMs = parseInstant(request.startAt);
    if (startMs === undefined)
      problems.push({
        path: '/startAt',
        message: 'not an instant',
        found: request.startAt,
        expected: 'RFC 3339, as 2026-01-31T12:00:00Z',
      });
    else if (startMs < wallMs)
      problems.push({ path: '/startAt', message: 'is in the past', found: request.startAt });
  }
  if (request.every !== undefined && fine('/every') && durationMs(request.every) < 1_000)
    problems.push({ path: '/every', message: 'at least 1s', found: request.every });
  return problems;
}

/**
 * Whom the request means now, and whether that may be: selector, needs, agents, limits.
 * The request has passed checkRequest.
 * @returns every problem at once where it may not be.
 */
export function admit(
  request: FaultRequest,
  occurrence: Occurrence,
  world: AdmissionWorld,
): Checked<Resolution> {
  const kind = kindNamed(request.kind);
  if (!kind) return invalid({ path: '/kind', message: `there is no fault kind '${request.kind}'` });
  const params = request.params ?? {};
  const selected = resolveTargets(request, occurrence, world);
  if (!selected.ok) return selected;
  const { names, selector } = selected.value;
  const targets = inOrder(kind.targets(params, world.topology, names));
  const unmet = unmetOf(kind, world.capabilities);
  const actors = inOrder(kind.actors(params, world.topology, names, meetsAllBut(unmet)));
  const blast: Blast = { fault: request.id, targets };
  const seed = `${occurrence.id}#${occurrence.instance}`;
  const cuts = kind.cuts?.(params, world.topology, names, seed);
  if (cuts !== undefined) blast.cuts = [...cuts];
  if (kind.sparesQuorum?.(params, world.topology) === true) blast.sparesQuorum = true;
  const problems = [
    ...checkActors(kind, actors, world),
    ...refusedBy(checkLimits(world.limits, world, world.standing, blast), request.override),
  ];
  if (problems.length > 0) return invalid(...problems);
  const resolution: Resolution = {
    live: selector !== undefined && isLive(selector),
    selected: names,
    targets,
    actors,
    blast,
  };
  if (Object.keys(unmet).length > 0) resolution.unmet = unmet;
  if (request.targets !== undefined) resolution.expression = targetsText(request.targets);
  return valid(resolution);
}

/** Empty for a kind without alternatives: it acts where it acts, or is refused there. */
function unmetOf(
  kind: FaultKind,
  capabilities: AdmissionWorld['capabilities'],
): Record<NodeName, Need[]> {
  if (kind.needs.length < 2) return {};
  const needs = new Set(kind.needs.flat());
  const unmet: Record<NodeName, Need[]> = {};
  for (const [node, found] of capabilities) {
    const missing = found.filter((each) => !each.met && needs.has(each.need));
    if (missing.length > 0) unmet[node] = missing.map((each) => each.need);
  }
  return unmet;
}

function resolveTargets(
  request: FaultRequest,
  occurrence: Occurrence,
  world: AdmissionWorld,
): Checked<{ names: NodeName[]; selector?: Selector }> {
  if (request.targets === undefined) return valid({ names: [] });
  const selector = readTargets(request.targets);
  if (!selector.ok) return invalid(...under('/targets', selector.problems));
  const resolved = resolveSelector(selector.value, world, randomOf(occurrence));
  return resolved.ok
    ? valid({ names: resolved.value, selector: selector.value })
    : invalid(...under('/targets', resolved.problems));
}

function checkActors(
  kind: FaultKind,
  actors: readonly NodeName[],
  world: AdmissionWorld,
): Problem[] {
  if (actors.length === 0)
    return [{ path: '/targets', message: 'no node would have to do anything for this fault' }];
  return actors.flatMap((name): Problem[] => {
    if (nodeNamed(world.topology, name)?.agent === undefined)
      return [{ path: '/targets', message: `node '${name}' would have to act, but has no agent` }];
    const capabilities = world.capabilities.get(name);
    return capabilities === undefined ? [] : checkNeeds(kind, name, capabilities);
  });
}

function checkNeeds(
  kind: FaultKind,
  name: NodeName,
  capabilities: readonly Capability[],
): Problem[] {
  const unmet = kind.needs.map((alternative) =>
    alternative.flatMap((need) => {
      const found = capabilities.find((capability) => capability.need === need);
      if (found?.met === true) return [];
      return [`${need} (${found?.why ?? 'its agent does not know it'})`];
    }),
  );
  if (unmet.length === 0 || unmet.some((missing) => missing.length === 0)) return [];
  return [
    {
      path: '/kind',
      message: `node '${name}' lacks what ${kind.kind} needs: ${unmet.map((missing) => missing.join(' and ')).join('; or ')}`,
    },
  ];
}

function inOrder(names: readonly NodeName[]): NodeName[] {
  return [...new Set(names)].sort();
}
