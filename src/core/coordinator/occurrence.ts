import { formatInstant } from '../base/instant.ts';
import { EARLIER_MAX, type FaultRecord } from './record.ts';
import { endedByOf, firedWallOf, stateOf } from './status.ts';
import type { Work } from './work.ts';

/** The occurrence is over: the next one, or the end. */
export function finish(work: Work, record: FaultRecord): void {
  const { now } = work;
  record.stage = 'ended';
  record.endedWallMs = now.wallMs;
  delete record.stageEndsBootMs;
  work.durable.add(record.id);
  const { everyMs, firstWallMs } = record;
  const goesOn = everyMs !== undefined && firstWallMs !== undefined && !record.stop;
  if (!goesOn || work.halted) return;
  const entry: FaultRecord['earlier'][number] = {
    instance: record.instance,
    state: stateOf(record),
    endedAt: formatInstant(now.wallMs),
  };
  const fired = firedWallOf(record);
  if (fired !== undefined) entry.firedAt = formatInstant(fired);
  const endedBy = endedByOf(record);
  if (endedBy !== undefined) entry.endedBy = endedBy;
  work.say({
    type: 'fault.occurrence',
    fault: record.id,
    message: `occurrence ${record.instance} of ${record.id} is ${entry.state}`,
    data: entry,
  });
  nextOccurrence(record, entry, firstWallMs, everyMs, now.wallMs);
}

function nextOccurrence(
  record: FaultRecord,
  entry: FaultRecord['earlier'][number],
  firstWallMs: number,
  everyMs: number,
  wallMs: number,
): void {
  // Occurrences are numbered by their times: those that nobody was there to fire are missed.
  const due = Math.floor((wallMs - firstWallMs) / everyMs) + 2;
  const next = Math.max(record.instance + 1, due);
  const missed: FaultRecord['earlier'] = [];
  for (
    let instance = Math.max(record.instance + 1, next - EARLIER_MAX);
    instance < next;
    instance++
  )
    missed.push({ instance, state: 'missed' });
  record.earlier = [...record.earlier, entry, ...missed].slice(-EARLIER_MAX);
  record.instance = next;
  record.startWallMs = firstWallMs + (next - 1) * everyMs;
  record.stage = 'pending';
  record.parts = [];
  record.problems = [];
  delete record.outcome;
  delete record.resolution;
  delete record.atFiring;
  delete record.armedWallMs;
  delete record.fireAtBootMs;
  delete record.fireAtWallMs;
  delete record.endedWallMs;
  delete record.conflictsWith;
}
