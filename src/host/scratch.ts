import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What trials of needs are called; they live for seconds. */
const BRIEF = /^needs-/;
/** Nobody needs them for so long, in whatever PID namespace. */
const OLD_MS = 10 * 60_000;

/** Removes what agents that were killed left of their small files; those of others stay. */
export function sweepScratch(directory: string, nowMs: number = Date.now()): void {
  for (const name of readdirSync(directory).filter((each) => BRIEF.test(each))) {
    const path = join(directory, name);
    try {
      if (nowMs - statSync(path).mtimeMs > OLD_MS) rmSync(path, { recursive: true });
    } catch {
      // Somebody else has swept it, or has something mounted there: it is not ours to force.
    }
  }
}
