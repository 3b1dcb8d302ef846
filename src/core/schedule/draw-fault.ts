import { durationMs } from '../base/duration.ts';
import type { Random } from '../base/random.ts';
import { checkSchema } from '../base/schema.ts';
import { stands, targetsOf } from '../faults/registry.ts';
import type { FaultKind } from '../model/fault.ts';
import type { DrawnKind, DrawnSchedule, ScheduledFault } from '../model/scenario.ts';
import type { DrawWorld, Harm, Occupancy } from './blast-radius.ts';

/** A fault of a schedule before it has its number, with what it holds. */
export interface Draft {
  /** Its id is '' until all are known. */
  fault: ScheduledFault;
  occupies: Occupancy;
}

type Params = Record<string, unknown>;

/** A kind that happens once still keeps its place for this long: a restart, an election. */
const ONCE_OCCUPIES_MS = 5_000;
/** After its end a fault keeps its place a little longer: a broker is not back the moment it starts. */
const SETTLES_MS = 2_000;

/** A length between two, in tenths of a second where they are far enough apart to be read so. */
function drawLength(random: Random, minMs: number, maxMs: number): number {
  const stepMs = maxMs - minMs >= 1_000 ? 100 : 1;
  return minMs + random.between(0, Math.floor((maxMs - minMs) / stepMs)) * stepMs;
}

/** Draws whose parameters contradict what the scenario fixes are drawn again this often. */
const DRAWS = 16;

/**
 * Parameters and targets: what the kind draws, and what the scenario fixes over it. A draw that does
 * not go with what is fixed (a direction beside a fixed shape, no targets where the fixed shape
 * needs them) is drawn again.
 */
function drawWhat(
  { entry, kind }: { entry: DrawnKind; kind: FaultKind },
  world: DrawWorld,
  random: Random,
): { params: Params; targets?: string | string[] } | undefined {
  for (let nth = 1; nth <= DRAWS; nth++) {
    const drawn = kind.draw(random.fork(`parameters ${nth}`), world.topology);
    const params = { ...(drawn.params as Params), ...entry.params };
    const checked = checkSchema(kind.params, params);
    if (!checked.ok || (kind.check?.(params, world.topology) ?? []).length > 0) continue;
    const takes = targetsOf(kind, params);
    const targets = takes === 'none' ? undefined : (entry.targets ?? drawn.targets);
    if (targets === undefined && takes === 'required') continue;
    return targets === undefined ? { params } : { params, targets };
  }
  return undefined;
}

/**
 * One fault of a kind, drawn: parameters by the kind itself, then what the scenario fixes over them.
 * @param random of this slot, kind and attempt: the same whatever instant is tried.
 * @returns undefined where its shortest duration would not end in time, or nothing drawn goes with
 * what the scenario fixes.
 */
export function drawFault(
  draw: DrawnSchedule,
  candidate: { entry: DrawnKind; kind: FaultKind },
  atMs: number,
  endMs: number,
  world: DrawWorld,
  random: Random,
): Draft | undefined {
  const { entry, kind } = candidate;
  const what = drawWhat(candidate, world, random);
  if (what === undefined) return undefined;
  const { params, targets } = what;
  const range = entry.duration ?? draw.duration;
  const minMs = durationMs(range.min);
  const lengthMs = drawLength(random.fork('duration'), minMs, durationMs(range.max));
  const standing = stands(kind, params);
  const roomMs = endMs - atMs;
  if (roomMs < (standing ? minMs : 1)) return undefined;
  const fault: ScheduledFault = { id: '', atMs, kind: kind.kind, params };
  if (targets !== undefined) fault.targets = targets;
  if (standing) fault.durationMs = Math.min(lengthMs, roomMs);
  return draftOf(fault, kind, world, random.fork('targets'));
}

/**
 * Resolves the selector as far as it needs no cluster, so that a seed names the same nodes again,
 * and works out what the fault holds.
 */
export function draftOf(
  fault: ScheduledFault,
  kind: FaultKind,
  world: DrawWorld,
  random: Random,
): Draft {
  const { targets } = fault;
  const names = targets === undefined ? [] : world.resolve(targets, random);
  if (typeof targets === 'string' && names !== undefined && targets !== names.join(' | ')) {
    fault.targets = names;
    fault.selector = targets;
  }
  const harm: Harm = { fault: fault.id, targets: [] };
  if (names !== undefined) {
    harm.targets = kind.targets(fault.params, world.topology, names);
    const cuts = kind.cuts?.(fault.params, world.topology, names, `${fault.id} ${fault.atMs}`);
    if (cuts !== undefined) harm.cuts = [...cuts];
  }
  const toMs = fault.atMs + (fault.durationMs ?? ONCE_OCCUPIES_MS) + SETTLES_MS;
  return { fault, occupies: { kind: fault.kind, fromMs: fault.atMs, toMs, harm } };
}
