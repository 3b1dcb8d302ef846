import { durationMs } from '../base/duration.ts';
import { parseRatio } from '../base/ratio.ts';
import { Random } from '../base/random.ts';
import type { FaultKind } from '../model/fault.ts';
import type { DrawnKind, DrawnSchedule, Limits, Scenario, Schedule } from '../model/scenario.ts';
import { delayed, geometric, regular, slotsOf, thinned, triangular, until } from './arrivals.ts';
import type { Arrivals, Slot } from './arrivals.ts';
import { fits, type DrawWorld, type Occupancy } from './blast-radius.ts';
import { choose, swarm, type Candidate } from './choose.ts';
import { drawFault, type Draft } from './draw-fault.ts';
import { scheduledId } from './fault-ids.ts';
import { plannedDrafts } from './planned.ts';

/**
 * Version of the drawing: the same version, scenario and seed give the same bytes. It changes when
 * a seed begins to mean something else, and then the golden schedules change with it.
 */
export const SCHEDULE_VERSION = '1';

/** Other parameters are tried this often where the first draw breaks a limit. */
const ATTEMPTS = 8;
/** A schedule of more is a mistake of units. */
const MOST_FAULTS = 10_000;

/** A kind of the scenario with what its draws are named by. */
export interface DrawnCandidate extends Candidate {
  entry: DrawnKind;
  kind: FaultKind;
}

interface Drawing {
  draw: DrawnSchedule;
  world: DrawWorld;
  limits: Limits;
  random: Random;
}

/**
 * Draws the schedule of a scenario from a seed: pure, and in integers only.
 *
 * Every part has a stream of its own, forked by name: when (`times`), which kinds are on (`swarm`),
 * which kind a slot gets (`kind`), and what each kind draws for that slot. So another kind in the
 * list takes slots for itself and pushes later what it leaves no room for, but changes neither
 * parameters nor durations of what the others draw for theirs.
 * @param seed any 64-bit number as decimal text.
 * @param scenario valid (check-scenario.ts).
 */
export function drawSchedule(scenario: Scenario, seed: string, world: DrawWorld): Schedule {
  const lengthMs = durationMs(scenario.duration);
  const random = new Random(BigInt(seed)).fork('schedule');
  const drafts = plannedDrafts(scenario, lengthMs, world, random.fork('planned'));
  const on: string[] = [];
  if (scenario.draw) {
    const drawing = { draw: scenario.draw, world, limits: scenario.limits ?? {}, random };
    const candidates = candidatesOf(drawing);
    on.push(...new Set(candidates.map(({ entry }) => entry.kind)));
    for (const draft of drawnDrafts(drawing, candidates, lengthMs, drafts)) drafts.push(draft);
  }
  drafts.sort((a, b) => a.fault.atMs - b.fault.atMs);
  const faults = drafts.map(({ fault }, index) => ({
    ...fault,
    id: fault.id === '' ? scheduledId(scenario.name, seed, index + 1) : fault.id,
  }));
  return {
    version: SCHEDULE_VERSION,
    scenario: scenario.name,
    seed: BigInt(seed).toString(),
    durationMs: lengthMs,
    kinds: on,
    faults,
  };
}

/** The kinds a run draws from: weights of 0 are out, then the swarm's coins. */
function candidatesOf(drawing: Drawing): DrawnCandidate[] {
  const candidates: DrawnCandidate[] = [];
  const times = new Map<string, number>();
  for (const entry of drawing.draw.kinds) {
    const kind = drawing.world.kinds.find((one) => one.kind === entry.kind);
    const nth = (times.get(entry.kind) ?? 0) + 1;
    times.set(entry.kind, nth);
    const stream = nth === 1 ? entry.kind : `${entry.kind}#${nth}`;
    const weight = entry.weight ?? 1;
    if (kind && weight > 0) candidates.push({ stream, weight, entry, kind });
  }
  if (drawing.draw.swarm === false) return candidates;
  return swarm(candidates, drawing.random.fork('swarm'));
}

/** When, as a value: the scenario's words put into combinators. */
export function arrivalsOf(draw: DrawnSchedule, lengthMs: number): Arrivals {
  const everyMs = Math.max(1, durationMs(draw.every));
  const spread = { regular, triangular, geometric }[draw.arrivals ?? 'triangular'](everyMs);
  const quiet = draw.quiet ?? {};
  const startMs = durationMs(quiet.start ?? '0s');
  const shifted = delayed(startMs, spread);
  const ended = until(lengthMs - durationMs(quiet.end ?? '0s'), shifted);
  const share = quiet.share === undefined ? undefined : parseRatio(quiet.share);
  return share === undefined || share.numerator === 0 ? ended : thinned(share, ended);
}

function drawnDrafts(
  drawing: Drawing,
  candidates: readonly DrawnCandidate[],
  lengthMs: number,
  planned: readonly Draft[],
): Draft[] {
  const { draw, random } = drawing;
  const endMs = lengthMs - durationMs(draw.quiet?.end ?? '0s');
  let placed = planned.map((draft) => draft.occupies);
  const drafts: Draft[] = [];
  for (const slot of slotsOf(arrivalsOf(draw, lengthMs), random.fork('times'))) {
    if (drafts.length >= MOST_FAULTS) break;
    // Slots only come later: what has ended before this one meets none of them.
    placed = placed.filter((one) => one.toMs > slot.atMs);
    const slotRandom = random.fork(`slot ${slot.number}`);
    const candidate = choose(candidates, slotRandom.fork('kind'));
    if (candidate === undefined) break;
    const draft = place(drawing, candidate, slot, slotRandom, placed, endMs);
    if (draft === undefined) continue;
    drafts.push(draft);
    placed.push(draft.occupies);
  }
  return drafts;
}

/**
 * Finds the instant at which a slot's fault fits beside the others: its own, or when one of them
 * ends, at most one mean interval later. Where it fits nowhere, other parameters are drawn.
 * @returns undefined where the slot stays empty.
 */
function place(
  drawing: Drawing,
  candidate: DrawnCandidate,
  slot: Slot,
  random: Random,
  placed: readonly Occupancy[],
  endMs: number,
): Draft | undefined {
  const { draw, world, limits } = drawing;
  const latestMs = slot.atMs + durationMs(draw.every);
  const instants = [slot.atMs];
  for (const { toMs } of placed) if (toMs > slot.atMs && toMs <= latestMs) instants.push(toMs);
  instants.sort((a, b) => a - b);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const stream = random.fork(`${candidate.stream} ${attempt}`);
    for (const atMs of instants) {
      const draft = drawFault(draw, candidate, atMs, endMs, world, stream);
      if (draft && fits(draft.occupies, placed, limits, draw.concurrent ?? 1, world)) {
        return draft;
      }
    }
  }
  return undefined;
}
