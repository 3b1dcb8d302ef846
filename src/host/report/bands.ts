import type { FaultStatus } from '../../core/model/fault-status.ts';
import {
  endedEarly,
  hasEnded,
  type Effect,
  type EndedBy,
  type State,
} from '../../core/model/lifecycle.ts';
import type { FaultBand } from '../../core/model/report-data.ts';
import type { TimelineEntry } from '../../core/model/run.ts';

type FaultEntry = Extract<TimelineEntry, { entry: 'fault' }>;

const IN_FORCE: readonly string[] = ['active', 'healing', 'stuck'];

/** Puts one entry into the band it belongs to: the open one of its fault, or a new one. */
function follow(bands: FaultBand[], entry: FaultEntry, atMs: number): void {
  const same = bands.filter((band) => band.id === entry.id);
  let band = same.at(-1);
  const acts = IN_FORCE.includes(entry.state);
  if (band === undefined || (!band.open && acts)) {
    if (!acts && !hasEnded(entry.state as State)) return;
    band = {
      id: entry.id,
      kind: entry.kind,
      occurrence: same.length + 1,
      targets: entry.targets,
      fromMs: atMs,
      toMs: atMs,
      acted: acts,
      open: true,
      state: entry.state as State,
      effect: entry.effect as Effect,
      early: false,
    };
    bands.push(band);
  }
  band.state = entry.state as State;
  if (entry.effect !== 'pending') band.effect = entry.effect as Effect;
  if (entry.targets.length > 0) band.targets = entry.targets;
  if (entry.endedBy !== undefined) band.endedBy = entry.endedBy as EndedBy;
  if (entry.state === 'healing') band.healingMs ??= atMs;
  if (!hasEnded(band.state)) return;
  if (band.open) band.toMs = atMs;
  band.open = false;
}

/** A fault that the timeline says nothing of, from its own record. */
function fromStatus(fault: FaultStatus, originMs: number, endMs: number): FaultBand | undefined {
  const began = fault.firedAt ?? (hasEnded(fault.state) ? fault.endedAt : undefined);
  if (began === undefined) return undefined;
  const band: FaultBand = {
    id: fault.id,
    kind: fault.kind,
    occurrence: fault.instance,
    targets: fault.targets,
    fromMs: Date.parse(began) - originMs,
    toMs: fault.endedAt === undefined ? endMs : Date.parse(fault.endedAt) - originMs,
    acted: fault.firedAt !== undefined,
    open: fault.endedAt === undefined,
    state: fault.state,
    effect: fault.effect,
    early: false,
  };
  if (fault.endedBy !== undefined) band.endedBy = fault.endedBy;
  return band;
}

/**
 * The bands of a timeline: one for each time a fault acted (or came to nothing).
 * @param originMs epoch milliseconds of the run's begin; @param endMs its end, relative to that.
 */
export function faultBands(
  timeline: readonly TimelineEntry[],
  faults: readonly FaultStatus[],
  originMs: number,
  endMs: number,
): FaultBand[] {
  const bands: FaultBand[] = [];
  for (const entry of timeline) {
    if (entry.entry === 'fault') follow(bands, entry, entry.at - originMs);
  }
  for (const fault of faults) {
    const own = bands.filter((band) => band.id === fault.id);
    const last = own.at(-1) ?? fromStatus(fault, originMs, endMs);
    if (last === undefined) continue;
    if (own.length === 0) bands.push(last);
    if (fault.skewMs !== undefined) last.skewMs = fault.skewMs;
    // The record knows better than the last sample of the timeline.
    if (fault.endedBy !== undefined) last.endedBy = fault.endedBy;
    if (fault.effect !== 'pending') last.effect = fault.effect;
  }
  for (const band of bands) {
    if (band.open) band.toMs = Math.max(band.fromMs, endMs);
    band.early = endedEarly(band.endedBy);
  }
  return bands.sort((a, b) => a.fromMs - b.fromMs);
}
