import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENDED_BY } from '../../src/core/model/lifecycle.ts';
import { simulate, type Outcome } from './run.ts';

const isLong = process.env['FAULTLINE_LONG'] === '1' || process.argv.includes('--long');
const SEEDS = Number(process.env['FAULTLINE_SEEDS'] ?? (isLong ? 20_000 : 2_000));
/** The one seed to repeat, with its log. */
export const ONE = process.env['FAULTLINE_SEED'];
/** From so many seeds on, everything that can happen has. */
const ENOUGH = 500;
const FILE = 'test/simulation/simulation.test.ts';

/** What broke, and how to see it again: its last lines here, all of them in a file. */
function report({ seed, violation, log }: Outcome): string {
  const directory = join(import.meta.dirname, '..', '..', '.cache', 'simulation');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `seed-${seed}.log`);
  writeFileSync(file, `${log.join('\n')}\n${violation ?? ''}\n`);
  return [
    `SEED=${seed}`,
    `again: FAULTLINE_SEED=${seed} node --test ${FILE}`,
    ...log.slice(-60),
    violation ?? '',
    `all of its log: ${file}`,
  ].join('\n');
}

/** One seed, for whoever looks for what it breaks. */
export async function testOne(seed: number): Promise<void> {
  const outcome = await simulate(seed);
  console.log(outcome.log.join('\n'));
  if (outcome.violation !== undefined) assert.fail(report(outcome));
}

/** Declares a test of one half of the seeds: two files, so that two cores have something to do. */
export function testHalf(half: 0 | 1): void {
  const first = 1 + half * Math.ceil(SEEDS / 2);
  const last = half === 0 ? Math.ceil(SEEDS / 2) : SEEDS;
  test(`every law holds after every event, seeds ${first} to ${last}`, async () => {
    const endings = new Map<string, number>();
    for (let seed = first; seed <= last; seed++) {
      const outcome = await simulate(seed);
      if (outcome.violation !== undefined) assert.fail(report(outcome));
      for (const [how, count] of outcome.endings) endings.set(how, (endings.get(how) ?? 0) + count);
    }
    if (last - first + 1 < ENOUGH) return;
    // A simulation in which nothing ever goes wrong would prove nothing.
    for (const how of [...ENDED_BY, 'missed', 'failed', 'refused'])
      if (how !== 'kernelExpiry')
        assert.ok((endings.get(how) ?? 0) > 0, `no fault ended by ${how}`);
  });
}
