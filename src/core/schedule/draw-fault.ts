import { durationMs } from '../base/duration.ts';
import type { Random } from '../base/random.ts';
import type { FaultKind } from '../model/fault.ts';
import type { DrawnKind, DrawnSchedule, ScheduledFault } from '../model/scenario.ts';
import type { NodeName, Topology } from '../model/topology.ts';
import type { Occupancy } from './blast-radius.ts';

/** A fault of a schedule before it has its number, with what it holds. */
export interface Draft {
  /** Its id is '' until all are known. */
  fault: ScheduledFault;
  occupies: Occupancy;
}

/** A kind that happens once still keeps its place for this long: a restart, an election. */
const ONCE_OCCUPIES_MS = 5_000;

export function standsWith(kind: FaultKind, params: Record<string, unknown>): boolean {
  return kind.stands?.(params) ?? kind.standing;
}

/** A length between two, in tenths of a second where they are far enough apart to be read so. */
function drawLength(random: Random, minMs: number, maxMs: number): number {
  const stepMs = maxMs - minMs >= 1_000 ? 100 : 1;
  return minMs + random.between(0, Math.floor((maxMs - minMs) / stepMs)) * stepMs;
}

/**
 * One fault of a kind, drawn: parameters by the kind itself, then what the scenario fixes over them.
 * @param random of this slot, kind and attempt: the same whatever instant is tried.
 * @returns undefined where it would not end in time (its shortest duration included).
 */
export function drawFault(
  draw: DrawnSchedule,
  candidate: { entry: DrawnKind; kind: FaultKind },
  atMs: number,
  endMs: number,
  topology: Topology,
  random: Random,
): Draft | undefined {
  const { entry, kind } = candidate;
  const drawn = kind.draw(random.fork('parameters'), topology);
  const params: Record<string, unknown> = {
    ...(drawn.params as Record<string, unknown>),
    ...entry.params,
  };
  const range = entry.duration ?? draw.duration;
  const minMs = durationMs(range.min);
  const lengthMs = drawLength(random.fork('duration'), minMs, durationMs(range.max));
  const stands = standsWith(kind, params);
  const roomMs = endMs - atMs;
  if (roomMs < (stands ? minMs : 1)) return undefined;
  const takes = kind.takesTargets?.(params) ?? (kind.namesNodes ? 'none' : 'required');
  const targets = takes === 'none' ? undefined : (entry.targets ?? drawn.targets);
  const fault: ScheduledFault = { id: '', atMs, kind: kind.kind, params };
  if (targets !== undefined) fault.targets = targets;
  if (stands) fault.durationMs = Math.min(lengthMs, roomMs);
  return { fault, occupies: occupancyOf(fault, kind, topology) };
}

/** What a fault holds as far as it can be known without asking the cluster. */
export function occupancyOf(fault: ScheduledFault, kind: FaultKind, topology: Topology): Occupancy {
  const selected = plainNames(fault.targets, topology);
  const nodes = selected === undefined ? [] : kind.targets(fault.params, topology, selected);
  return {
    kind: fault.kind,
    fromMs: fault.atMs,
    toMs: fault.atMs + (fault.durationMs ?? ONCE_OCCUPIES_MS),
    nodes,
    unknown: selected === undefined ? 1 : 0,
  };
}

/** The nodes a selector names by their names alone; undefined where it takes more to know. */
export function plainNames(
  targets: string | string[] | undefined,
  topology: Topology,
): NodeName[] | undefined {
  if (targets === undefined) return [];
  const words =
    typeof targets === 'string' ? targets.split('|').map((word) => word.trim()) : targets;
  const known = topology.nodes.map((node) => node.name);
  return words.every((word) => known.includes(word)) ? words : undefined;
}
