import { durationMs, parseDuration } from '../base/duration.ts';
import type { FaultKind } from '../model/fault.ts';
import type { PlannedFault, Scenario, ScheduledFault } from '../model/scenario.ts';
import type { Random } from '../base/random.ts';
import { stands } from '../faults/registry.ts';
import type { DrawWorld } from './blast-radius.ts';
import { draftOf, type Draft } from './draw-fault.ts';
import { joinedId } from './fault-ids.ts';

/** A fault that is repeated more often than this is a mistake, not a scenario. */
export const MOST_REPEATS = 1_000;

/** The faults a scenario puts at fixed times, every repetition by itself. */
export function plannedDrafts(
  scenario: Scenario,
  lengthMs: number,
  world: DrawWorld,
  random: Random,
): Draft[] {
  const drafts: Draft[] = [];
  for (const [index, planned] of (scenario.faults ?? []).entries()) {
    const kind = world.kinds.find((one) => one.kind === planned.kind);
    if (!kind) continue;
    for (const fault of occurrences(planned, kind, lengthMs)) {
      const stream = random.fork(`${index}`).fork(String(fault.atMs));
      drafts.push(draftOf(fault, kind, world, stream));
    }
  }
  return drafts;
}

function occurrences(planned: PlannedFault, kind: FaultKind, lengthMs: number): ScheduledFault[] {
  const faults: ScheduledFault[] = [];
  const everyMs = planned.every === undefined ? undefined : durationMs(planned.every);
  const params = planned.params ?? {};
  for (let nth = 1; nth <= MOST_REPEATS; nth++) {
    const atMs = durationMs(planned.at) + (nth - 1) * (everyMs ?? 0);
    if (atMs >= lengthMs) break;
    const id =
      planned.id === undefined ? '' : nth === 1 ? planned.id : joinedId(planned.id, `${nth}`);
    const fault: ScheduledFault = { id, atMs, kind: planned.kind, params };
    if (planned.targets !== undefined) fault.targets = planned.targets;
    if (planned.override !== undefined) fault.override = planned.override;
    if (stands(kind, params)) {
      const askedMs = parseDuration(planned.duration ?? '') ?? lengthMs - atMs;
      fault.durationMs = Math.min(askedMs, lengthMs - atMs);
    }
    faults.push(fault);
    if (everyMs === undefined || everyMs === 0) break;
  }
  return faults;
}
