import { parseDuration } from '../base/duration.ts';
import { under, type Problem } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { KINDS, kindNamed, targetsOf } from '../faults/registry.ts';
import type { DrawnKind, DrawnSchedule } from '../model/scenario.ts';
import type { Topology } from '../model/topology.ts';
import { checkRatio, checkTargets, unknownName } from './check-parts.ts';

/** Of more arrivals the drawing would take minutes; most of them would find no room. */
const MOST_ARRIVALS = 100_000;
const LONGEST_EVERY_MS = 30 * 86_400_000;

/** What the schema of `draw` cannot say. Paths are relative to it. */
export function checkDraw(draw: DrawnSchedule, topology: Topology, lengthMs?: number): Problem[] {
  const problems: Problem[] = [];
  for (const [index, entry] of draw.kinds.entries()) {
    problems.push(...under(`/kinds/${index}`, checkEntry(entry, topology)));
  }
  if (draw.kinds.every((entry) => entry.weight === 0)) {
    problems.push({ path: '/kinds', message: 'every weight is 0: nothing could ever be drawn' });
  }
  problems.push(...under('/every', checkEvery(draw.every, lengthMs)));
  problems.push(...under('/duration', checkRange(draw.duration)));
  const quiet = draw.quiet ?? {};
  problems.push(...checkRatio('/quiet/share', quiet.share));
  const quietMs =
    (parseDuration(quiet.start ?? '0s') ?? 0) + (parseDuration(quiet.end ?? '0s') ?? 0);
  if (lengthMs !== undefined && quietMs >= lengthMs) {
    problems.push({
      path: '/quiet',
      message: 'start and end together are as long as the whole run: no fault would fit between',
    });
  }
  return problems;
}

/** Of a `draw` whose shape is wrong somewhere: what is wrong with the kinds whose shape is right. */
export function checkDrawParts(
  draw: unknown,
  topology: Topology,
  fine: (part: string) => boolean,
): Problem[] {
  const kinds = (draw as Partial<DrawnSchedule> | null | undefined)?.kinds;
  if (!Array.isArray(kinds)) return [];
  return kinds.flatMap((entry, index) => {
    const path = `/kinds/${index}`;
    return fine(path) ? under(path, checkEntry(entry, topology)) : [];
  });
}

function checkEvery(every: string, lengthMs = 0): Problem[] {
  const everyMs = parseDuration(every) ?? 0;
  if (everyMs === 0)
    return [{ path: '', message: 'faults cannot follow each other without any time' }];
  if (everyMs > LONGEST_EVERY_MS) return [{ path: '', message: 'at most 30d', found: every }];
  if (lengthMs / everyMs <= MOST_ARRIVALS) return [];
  const count = Math.round(lengthMs / everyMs);
  const message = `${count} faults over the run; at most ${MOST_ARRIVALS} can be drawn`;
  return [{ path: '', message, found: every }];
}

function checkRange(range: { min: string; max: string }): Problem[] {
  const minMs = parseDuration(range.min) ?? 0;
  const maxMs = parseDuration(range.max) ?? 0;
  if (minMs === 0) return [{ path: '/min', message: 'a duration must be over zero' }];
  if (minMs <= maxMs) return [];
  return [{ path: '/min', message: `is longer than 'max'`, found: `${range.min} > ${range.max}` }];
}

function checkEntry(entry: DrawnKind, topology: Topology): Problem[] {
  const problems = entry.duration ? under('/duration', checkRange(entry.duration)) : [];
  if (entry.targets !== undefined) {
    problems.push(...under('/targets', checkTargets(entry.targets, topology)));
  }
  const kind = kindNamed(entry.kind);
  if (!kind) {
    const names = KINDS.map((one) => one.kind);
    return [unknownName('/kind', 'fault kind', entry.kind, names), ...problems];
  }
  const params = entry.params ?? {};
  const checked = checkSchema(kind.params, params);
  if (!checked.ok) {
    // What is missing is drawn; what is there must be right.
    const wrong = checked.problems.filter((problem) => !problem.message.endsWith('is missing'));
    problems.push(...under('/params', wrong));
  } else if (entry.targets !== undefined && targetsOf(kind, params) === 'none' && entry.params) {
    const message = `${entry.kind} with these parameters names its own nodes and takes no 'targets'`;
    problems.push({ path: '/targets', message });
  }
  return problems;
}
