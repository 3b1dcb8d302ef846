import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HttpClient } from '../../src/host/http-client.ts';
import type { LabDescription } from '../../src/host/lab/describe.ts';
import { takeDown } from '../../src/host/lab/down.ts';
import { kafkaDirectory } from '../../src/host/lab/kafka-cache.ts';
import { INSIDE } from '../../src/host/lab/place.ts';
import { bringUp } from '../../src/host/lab/up.ts';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import { testLabName } from '../support/lab.ts';
import { lacks, ROOT, VENV } from '../support/needs.ts';
import { PACKAGE } from '../support/python.ts';
import { until } from '../support/until.ts';

interface Report {
  results: { test_id: string; test_status: string; summary: string }[];
}

const EXAMPLES = [
  'replication_test.py',
  'transactions_test.py',
  'consumer_group_test.py',
  'disk_failure_test.py',
];

const skip = lacks('root', 'namespaces', 'java', 'kafka-jars', 'ssh', 'fuse', 'nft', 'python-venv');

/** With the class-data archive that the lab's own brokers start with, where there is one. */
function javaOptions(): string {
  const [archive] = globSync(join(kafkaDirectory(ROOT), 'lab', '*.jsa')).map((at) => basename(at));
  const usual = '-XX:+UseSerialGC -XX:TieredStopAtLevel=1';
  return archive === undefined
    ? usual
    : `${usual} -XX:SharedArchiveFile=${INSIDE.kafka}/lab/${archive}`;
}

describe('ducktape on the lab', { skip }, () => {
  const name = testLabName('ducktape');
  const directory = mkdtempSync(join(tmpdir(), 'faultline-ducktape-'));
  const started: number[] = [];
  let lab: LabDescription;

  before(async () => {
    const empty = { brokers: 0, clients: 4, bare: true, agents: false, coordinator: false };
    lab = await bringUp({ ...empty, name, ssh: true, root: ROOT, say: () => undefined });
  });
  // A test that was over too soon: nobody else ends what it started.
  const endAll = (): void => {
    for (const group of started) if (existsSync(`/proc/${group}`)) process.kill(-group, 'SIGKILL');
  };
  const interrupted = (): void => {
    endAll();
    process.exit(143);
  };
  process.once('SIGTERM', interrupted);
  after(async () => {
    process.off('SIGTERM', interrupted);
    endAll();
    await takeDown(name);
    rmSync(directory, { recursive: true });
  });

  /** Ducktape in a process group of its own, as a person would start it. */
  function ducktape(cwd: string, tests: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const cluster = ['--cluster', 'ducktape.cluster.json.JsonCluster'];
    const file = ['--cluster-file', lab.ducktapeFile ?? ''];
    // Of its own: ducktape counts its sessions for each folder it is started in.
    const results = ['--results-root', join(directory, basename(cwd))];
    const globals = ['--globals', JSON.stringify({ java_options: javaOptions() })];
    const args = [...cluster, ...file, ...results, ...globals, ...tests];
    const child = spawn(join(VENV, 'bin', 'ducktape'), args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PYTHONPATH: join(PACKAGE, 'src'),
        PYTHONDONTWRITEBYTECODE: '1',
        ...env,
      },
    });
    if (child.pid !== undefined) started.push(child.pid);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    }
    return { child, said: () => said };
  }

  test('the examples pass', { timeout: 420_000 }, async () => {
    const { child, said } = ducktape(join(PACKAGE, 'examples'), EXAMPLES);
    const [code] = (await once(child, 'exit')) as [number];
    const file = join(directory, 'examples', 'latest', 'report.json');
    assert.ok(existsSync(file), said());
    const { results } = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const wrong = results.filter((result) => result.test_status !== 'PASS');
    const reasons = wrong.map((result) => `${result.test_id}:\n${result.summary}`).join('\n');
    assert.equal(reasons, '');
    assert.equal(results.length, 5);
    assert.equal(code, 0, said());
  });

  test(
    'a test killed by SIGKILL leaves nothing: its lease heals',
    { timeout: 120_000 },
    async () => {
      const marker = join(directory, 'marker');
      const killed = join(PACKAGE, 'tests', 'ducktape');
      const { child, said } = ducktape(killed, ['killed_test.py'], {
        FAULTLINE_TEST_MARKER: marker,
      });
      const exited = once(child, 'exit');
      await until('the fault', () => child.exitCode !== null || existsSync(marker), {
        timeoutMs: 60_000,
      });
      assert.ok(existsSync(marker), said());
      const [node] = lab.nodes;
      assert.ok(node?.initPid);
      const state = (): string => {
        const look = 'cut -d" " -f3 /proc/$(cat /mnt/sleeper.pid)/stat';
        const enter = ['-t', String(node.initPid), '-a', '-r', 'sh', '-c', look];
        return execFileSync('nsenter', enter, { encoding: 'utf8' }).trim();
      };
      assert.equal(state(), 'T');
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await exited;
      await until('the sleeper to go on', () => state() === 'S', { timeoutMs: 30_000 });
      const agent = new HttpClient({
        url: `http://${node.address}:7711`,
        token: readFileSync(marker, 'utf8'),
      });
      const fault = await agent.get<AgentFaultStatus>('/v1/faults/orphan');
      assert.deepEqual([fault.state, fault.endedBy], ['healed', 'lease']);
    },
  );
});
