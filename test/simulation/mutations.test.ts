import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ANY_OWNER, FIRES_AGAIN, LATE_JOURNAL, NO_LEASES, type Subject } from './mutations.ts';
import { simulate } from './run.ts';

/** A bug must be found within so many seeds. */
const SEEDS = 300;

suite('a machine with a bug is found out', () => {
  const mutations: [string, Subject, RegExp][] = [
    ['an agent without leases', NO_LEASES, /stands on n\d \d+ ms after it was due/],
    ['a coordinator that fires again', FIRES_AGAIN, /was fired 2 times/],
    ['acts before the journal is on disk', LATE_JOURNAL, /without a record in its journal/],
    ['leases of any owner', ANY_OWNER, /was ended by/],
  ];
  for (const [name, subject, law] of mutations)
    test(name, async (context) => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { violation } = await simulate(seed, subject);
        if (violation === undefined || !law.test(violation)) continue;
        context.diagnostic(`found at seed ${seed}: ${violation.split('\n')[0]}`);
        return;
      }
      assert.fail(`not found in ${SEEDS} seeds`);
    });
});
