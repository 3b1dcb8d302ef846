import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { RunResult } from '../../src/cli/run-result.ts';
import type { RunStatus } from '../../src/core/model/run.ts';
import { HttpClient } from '../../src/host/http-client.ts';
import { firstToken } from '../../src/host/http/tokens.ts';
import { testLabName, withLab } from '../support/lab.ts';
import { ROOT } from '../support/needs.ts';
import { until } from '../support/until.ts';

/**
 * Short, and the same at every seed: a crash, a cut, and within it a shutdown that cannot end before its
 * fault does, because nobody hears the broker. 20 seconds in all.
 */
const SCENARIO = `faultline: 1
name: short
duration: 20s
steadyState: 2s
recovery: 40s
workload: { kind: log, params: { rate: 500, topicPartitions: 3 } }
faults:
  - { id: crash, at: 1s, kind: process.kill, targets: n2, duration: 3s }
  - { id: cut, at: 11s, kind: network.partition, params: { shape: isolate }, targets: n1, duration: 4s }
  - { id: stop, at: 12s, kind: process.kill, params: { signal: SIGTERM }, targets: n1, duration: 2s }
`;

const directory = mkdtempSync(join(tmpdir(), 'faultline-run-'));
after(() => rmSync(directory, { recursive: true }));

function run(
  url: string,
  tokenFile: string,
  id: string,
): { child: ChildProcess; out: () => string } {
  const file = join(directory, 'short.yaml');
  writeFileSync(file, SCENARIO);
  const words = ['run', file, '--id', id, '--out', join(directory, id), '--json'];
  const flags = ['--coordinator', url, '--token-file', tokenFile];
  const child = spawn(join(ROOT, 'faultline'), [...words, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, out: () => text };
}

/** The process that has all of these words in its command line. */
function processWith(...words: string[]): { pid: number; argv: string[] } | undefined {
  for (const pid of readdirSync('/proc').map(Number)) {
    if (!(pid > 0) || !existsSync(`/proc/${pid}/cmdline`)) continue;
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      if (words.every((word) => argv.includes(word))) return { pid, argv };
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}

withLab({ name: testLabName('run'), agents: true, coordinator: true }, (lab) => {
  const coordinator = () => {
    const found = lab().coordinator;
    assert.ok(found);
    return found;
  };
  const client = () =>
    new HttpClient({ url: coordinator().url, token: firstToken(coordinator().tokenFile) });
  const phaseOf = async (id: string): Promise<string | undefined> => {
    try {
      return (await client().get<RunStatus>(`/v1/runs/${id}`)).phase;
    } catch {
      // Not there yet, or the coordinator is down just now.
      return undefined;
    }
  };

  test(
    'a run: load, faults whose effect is seen, recovery, a verdict and its files',
    { timeout: 180_000 },
    async () => {
      const { url, tokenFile } = coordinator();
      const { child, out } = run(url, tokenFile, 'first');
      const [code] = (await once(child, 'exit')) as [number];
      const result = JSON.parse(out().trim().split('\n').at(-1) ?? '') as RunResult;
      assert.equal(code, 0, JSON.stringify(result.reasons));
      assert.equal(result.verdict, 'valid');
      assert.deepEqual(
        result.faults.map(({ id, effect, endedBy }) => [id, effect, endedBy]).slice(0, 2),
        [
          ['first-crash', 'seen', 'deadline'],
          ['first-cut', 'seen', 'deadline'],
        ],
      );
      assert.equal(result.faults[2]?.endedBy, 'deadline');
      assert.ok(result.acknowledged > 9_000, String(result.acknowledged));
      // More, where a write was taken whose acknowledgement nobody heard.
      assert.ok(result.read >= result.acknowledged, `${result.read} of ${result.acknowledged}`);
      for (const file of ['report.html', 'verdict.json', 'history.jsonl.gz']) {
        assert.ok(existsSync(join(directory, 'first', file)), file);
      }
    },
  );

  test('a scenario that asks for another lab is told so, and which command makes it', () => {
    const asked = `${SCENARIO}cluster: { lab: { brokers: 3, disks: 2 } }\n`;
    const { url, tokenFile } = coordinator();
    const flags = ['--coordinator', url, '--token-file', tokenFile];
    const { status, stderr } = spawnSync(join(ROOT, 'faultline'), ['run', '-', ...flags], {
      input: asked,
      encoding: 'utf8',
    });
    assert.equal(status, 64);
    assert.match(stderr, /disks: 1, not 2/);
    assert.match(stderr, /faultline lab up --brokers 3 --disks 2/);
  });

  test(
    'a coordinator killed in the middle of a run comes back and finishes it',
    { timeout: 180_000 },
    async () => {
      const { url, tokenFile } = coordinator();
      const { child, out } = run(url, tokenFile, 'second');
      await until('the faults', async () => (await phaseOf('second')) === 'faults', {
        timeoutMs: 60_000,
      });
      await until(
        'the cut',
        async () => (await client().get<RunStatus>('/v1/runs/second')).faults.length === 1,
      );
      const found = processWith('coordinator', '--cluster', lab().clusterFile);
      assert.ok(found);
      process.kill(found.pid, 'SIGKILL');
      await until('its end', () => !existsSync(`/proc/${found.pid}`));
      const [program = '', ...argv] = found.argv;
      const again = spawn(program, argv, { stdio: 'ignore' });
      try {
        const [code] = (await once(child, 'exit')) as [number];
        const result = JSON.parse(out().trim().split('\n').at(-1) ?? '') as RunResult;
        assert.equal(code, 0, JSON.stringify(result.reasons));
        assert.deepEqual(
          result.faults.map(({ id, endedBy }) => [id, endedBy]),
          [
            ['second-crash', 'deadline'],
            ['second-cut', 'deadline'],
            ['second-stop', 'deadline'],
          ],
        );
      } finally {
        again.kill('SIGTERM');
        await once(again, 'exit');
      }
    },
  );
});
