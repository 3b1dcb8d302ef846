import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { javaOf } from './jars.ts';
import type { PayloadCase } from './payload-cases.ts';

export interface MadePayloads extends PayloadCase {
  /** Hexadecimal, one a position. */
  made: (string | null)[];
}

/** What the generators in Trogdor's jar make. */
export function makePayloads(cases: readonly PayloadCase[]): MadePayloads[] {
  const [java = 'java', ...rest] = javaOf(join(import.meta.dirname, 'PayloadVectors.java'));
  const output = execFileSync(java, rest, {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: 240_000,
  });
  return JSON.parse(output) as MadePayloads[];
}
