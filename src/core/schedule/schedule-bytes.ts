import { canonicalJson } from '../base/canonical-json.ts';
import type { Schedule } from '../model/scenario.ts';

/** The bytes of a schedule: canonical JSON and a newline. Two schedules are the same if these are. */
export function scheduleBytes(schedule: Schedule): string {
  return `${canonicalJson(schedule)}\n`;
}
