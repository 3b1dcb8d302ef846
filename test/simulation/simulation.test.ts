import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { ENDED_BY } from '../../src/core/model/lifecycle.ts';
import { ANY_OWNER, FIRES_AGAIN, LATE_JOURNAL, NO_LEASES, type Subject } from './mutations.ts';
import { simulate, type Outcome } from './run.ts';

const isLong = process.env['FAULTLINE_LONG'] === '1' || process.argv.includes('--long');
const SEEDS = Number(process.env['FAULTLINE_SEEDS'] ?? (isLong ? 20_000 : 2_000));
const ONE = process.env['FAULTLINE_SEED'];
/** A mutation must be found within so many seeds. */
const MUTATION_SEEDS = 300;
const FILE = 'test/simulation/simulation.test.ts';

/** What broke, and how to see it again: the last lines here, all of them in a file. */
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

test(`every law holds after every event, ${ONE ? `seed ${ONE}` : `${SEEDS} seeds`}`, async () => {
  const endings = new Map<string, number>();
  const first = ONE === undefined ? 1 : Number(ONE);
  const last = ONE === undefined ? SEEDS : first;
  for (let seed = first; seed <= last; seed++) {
    const outcome = await simulate(seed);
    if (ONE !== undefined) console.log(outcome.log.join('\n'));
    if (outcome.violation !== undefined) assert.fail(report(outcome));
    for (const [how, count] of outcome.endings) endings.set(how, (endings.get(how) ?? 0) + count);
  }
  if (SEEDS < 200 || ONE !== undefined) return;
  // A simulation in which nothing ever goes wrong would prove nothing.
  const rare = ['kernelExpiry'];
  for (const how of [...ENDED_BY, 'missed', 'failed', 'refused'].filter(
    (one) => !rare.includes(one),
  ))
    assert.ok((endings.get(how) ?? 0) > 0, `in ${SEEDS} seeds no fault ended by ${how}`);
});

test('the same seed is the same life, line by line', async () => {
  const [one, two] = [await simulate(7), await simulate(7)];
  assert.ok(one.log.length > 50);
  assert.deepEqual(one.log, two.log);
});

suite('a machine with a bug is found out', { skip: ONE !== undefined }, () => {
  const mutations: [string, Subject, RegExp][] = [
    ['an agent without leases', NO_LEASES, /stands on n\d \d+ ms after it was due/],
    ['a coordinator that fires again', FIRES_AGAIN, /was fired 2 times/],
    ['acts before the journal is on disk', LATE_JOURNAL, /without a record in its journal/],
    ['leases of any owner', ANY_OWNER, /was ended by/],
  ];
  for (const [name, subject, law] of mutations)
    test(name, async () => {
      for (let seed = 1; seed <= MUTATION_SEEDS; seed++) {
        const { violation } = await simulate(seed, subject);
        if (violation !== undefined && law.test(violation)) return;
      }
      assert.fail(`not found in ${MUTATION_SEEDS} seeds`);
    });
});
