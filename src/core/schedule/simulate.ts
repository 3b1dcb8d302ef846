import type { Schedule, ScheduledFault } from '../model/scenario.ts';

/** What stands during one stretch of virtual time. */
export interface Stretch {
  fromMs: number;
  toMs: number;
  /** Ids in the order of the schedule. */
  standing: string[];
}

export interface Occupied {
  stretches: Stretch[];
  /** Most faults standing at once. */
  most: number;
  /** Time without a standing fault. */
  quietMs: number;
  /** Faults of each kind. */
  counts: Record<string, number>;
}

/** One instant at which something begins or ends. */
export interface Moment {
  atMs: number;
  event: 'begin' | 'end' | 'once';
  fault: ScheduledFault;
}

/** The schedule as moments, in the order in which they come; at one instant, ends come first. */
export function momentsOf(schedule: Schedule): Moment[] {
  const moments = schedule.faults.flatMap((fault): Moment[] =>
    fault.durationMs === undefined
      ? [{ atMs: fault.atMs, event: 'once', fault }]
      : [
          { atMs: fault.atMs, event: 'begin', fault },
          { atMs: fault.atMs + fault.durationMs, event: 'end', fault },
        ],
  );
  const rank = { end: 0, once: 1, begin: 2 };
  return moments.sort((a, b) => a.atMs - b.atMs || rank[a.event] - rank[b.event]);
}

/** Runs a schedule in virtual time, in a world where every fault does what it should. */
export function simulate(schedule: Schedule): Occupied {
  const standing = new Set<string>();
  const occupied: Occupied = { stretches: [], most: 0, quietMs: 0, counts: {} };
  let fromMs = 0;
  const upTo = (toMs: number): void => {
    if (toMs <= fromMs) return;
    occupied.stretches.push({ fromMs, toMs, standing: [...standing] });
    if (standing.size === 0) occupied.quietMs += toMs - fromMs;
    fromMs = toMs;
  };
  for (const { atMs, event, fault } of momentsOf(schedule)) {
    upTo(Math.min(atMs, schedule.durationMs));
    if (event === 'end') standing.delete(fault.id);
    else occupied.counts[fault.kind] = (occupied.counts[fault.kind] ?? 0) + 1;
    if (event === 'begin') standing.add(fault.id);
    occupied.most = Math.max(occupied.most, standing.size);
  }
  upTo(schedule.durationMs);
  return occupied;
}
