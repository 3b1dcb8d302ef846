import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import type { RunResult } from '../../src/cli/run-result.ts';
import { testLabName, withLab } from '../support/lab.ts';
import { lacks, ROOT } from '../support/needs.ts';

const directory = mkdtempSync(join(tmpdir(), 'faultline-two-'));
after(() => rmSync(directory, { recursive: true }));

/** The scenario that ships, which asks for a lab of 3.6.1, for a lab of another release. */
function scenarioFor(kafka: string): string {
  const text = readFileSync(join(ROOT, 'scenarios', 'two-controllers.yaml'), 'utf8');
  const file = join(directory, `${kafka}.yaml`);
  writeFileSync(file, text.replaceAll('3.6.1', kafka));
  return file;
}

/** Runs the scenario in a lab. @returns what the last line of `run --json` says. */
function run(
  coordinator: { url: string; tokenFile: string },
  kafka: string,
  id: string,
): Promise<RunResult> {
  const file = scenarioFor(kafka);
  const words = ['run', file, '--id', id, '--out', join(directory, id), '--json'];
  const flags = ['--coordinator', coordinator.url, '--token-file', coordinator.tokenFile];
  return new Promise((resolve, reject) => {
    // It exits with the verdict: 1 is not a failure here.
    execFile(join(ROOT, 'faultline'), [...words, ...flags], (_error, stdout, stderr) => {
      const line = stdout.trim().split('\n').at(-1) ?? '';
      if (line.startsWith('{')) resolve(JSON.parse(line) as RunResult);
      else reject(new Error(stderr));
    });
  });
}

// The jars of both releases are downloads.
suite('KAFKA-15489', { skip: lacks('long') }, () => {
  for (const [kafka, verdict, found] of [
    ['3.6.1', 'invalid', true],
    ['3.7.0', 'valid', false],
  ] as const) {
    const name = testLabName(`two-${kafka.replaceAll('.', '')}`);
    withLab({ name, brokers: 1, controllers: 3, disks: 0, kafka }, (lab) => {
      test(`Kafka ${kafka} is ${verdict}`, { timeout: 240_000 }, async () => {
        const { coordinator } = lab();
        assert.ok(coordinator);
        const result = await run(coordinator, kafka, 'two');
        assert.ok('faults' in result, `refused: ${JSON.stringify(result)}`);
        assert.deepEqual(
          result.faults.map(({ kind, effect }) => [kind, effect]),
          [['network.partition', 'seen']],
        );
        assert.equal(result.verdict, verdict, JSON.stringify(result.reasons));
        const named = result.anomalies.some(({ kind }) => kind === 'twoControllers');
        assert.equal(named, found);
      });
    });
  }
});
