import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { runStorm } from '../../bench/storm/run.ts';
import { lacks } from '../support/needs.ts';

const SEED = '20261124';
const ROUNDS = process.env['FAULTLINE_LONG'] === '1' ? 400 : 75;
const TIMEOUT_MS = ROUNDS * 6_000;

suite('the kill storm', { skip: lacks('root', 'namespaces', 'nft', 'nfqueue', 'ipset') }, () => {
  test(`${ROUNDS} rounds of seed ${SEED}`, { timeout: TIMEOUT_MS }, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-storm-test-'));
    try {
      const summary = await runStorm({
        rounds: ROUNDS,
        seed: SEED,
        draw: 'all',
        lanes: 2,
        expiries: 1,
        out: join(directory, 'kill-storm.json'),
        resume: false,
        say: (line) => t.diagnostic(line),
      });
      assert.deepEqual(summary.violations, []);
      assert.equal(summary.rounds, ROUNDS);
      // A storm over machines where nothing stood shows nothing.
      assert.ok(summary.faultsInForce > ROUNDS / 2, `${summary.faultsInForce} faults in force`);
      assert.ok((summary.expiredMs?.count ?? 0) === 1, 'the kernel let go by itself');
      const { guard, restart } = summary.healedMs;
      assert.ok(guard && restart, 'guards and new agents had to heal');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
