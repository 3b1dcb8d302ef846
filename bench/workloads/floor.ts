import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BENCH_ENVIRONMENT, BENCH_FLAGS } from '../../src/host/workload/bench-process.ts';
import { ROOT } from '../../test/support/needs.ts';
import { writeTrogdorConfig } from '../../test/support/trogdor/real.ts';
import { until } from '../../test/support/until.ts';
import { memoryOf, textOf, type Memory } from './pages.ts';
import { parentsOfAll } from './usage.ts';

/** Long enough for a process that only loads something. */
const SETTLES_MS = 3_000;

const IDLE = 'setInterval(() => {}, 1e6);';
const LIBRARY = `await import('@platformatic/kafka'); ${IDLE}`;
/** What an agent and a load of its own cannot be under: they do nothing. */
const PROGRAMS = {
  'node, idle': [IDLE],
  'node, Kafka library loaded': [LIBRARY],
  'two of node, idle': [IDLE, IDLE],
  'two of node, one with the library': [IDLE, LIBRARY],
} as const;

export type Floor = { program: string } & Memory;

/** Processes that do nothing, started as that of a load is. */
export async function floors(): Promise<Floor[]> {
  const found: Floor[] = [];
  const env = { ...BENCH_ENVIRONMENT, ...process.env };
  const options = { cwd: ROOT, env, stdio: 'ignore' } as const;
  for (const program of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]) {
    const idle = PROGRAMS[program].map((script) =>
      spawn(process.execPath, [...BENCH_FLAGS, '--input-type=module', '-e', script], options),
    );
    await sleep(SETTLES_MS);
    found.push({ program, ...memoryOf(idle.map(({ pid = 0 }) => pid)) });
    for (const one of idle) one.kill('SIGKILL');
  }
  return [...found, { program: 'agent, guard and a load that waits', ...(await asLoaded()) }];
}

/** Ours before the first record: the broker that the load asks for takes connections and says nothing. */
async function asLoaded(): Promise<Memory> {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-bench-floor-'));
  const silent = createServer((socket) => socket.on('error', () => socket.destroy()));
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const config = join(directory, 'trogdor.conf');
  writeTrogdorConfig(config, { n1: { hostname: '127.0.0.1', 'trogdor.agent.port': 0 } });
  const spec = {
    class: 'org.apache.kafka.trogdor.workload.ProduceBenchSpec',
    startMs: 0,
    durationMs: 600_000,
    producerNode: 'n1',
    bootstrapServers: `127.0.0.1:${(silent.address() as AddressInfo).port}`,
    targetMessagesPerSec: 1,
    maxMessages: 1,
    activeTopics: { silent: { numPartitions: 1, replicationFactor: 1 } },
  };
  const rest = ['--agent.config', config, '--node-name', 'n1', '--exec', JSON.stringify(spec)];
  const env = { ...process.env, FAULTLINE_STATE: directory };
  const trogdor = join(ROOT, 'compat', 'trogdor.sh');
  const agent = spawn(trogdor, ['agent', ...rest], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => {
    agent.once('exit', resolve);
  });
  try {
    const { pid = 0 } = agent;
    await until('the load is started', () => treeOf(pid).some(isLoad), { timeoutMs: 60_000 });
    await sleep(SETTLES_MS);
    return memoryOf(treeOf(pid));
  } finally {
    agent.kill('SIGTERM');
    await ended;
    silent.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function isLoad(pid: number): boolean {
  return textOf(`/proc/${pid}/cmdline`)?.includes('workload.ts') === true;
}

/** A process and all below it. */
function treeOf(pid: number, parents = parentsOfAll()): number[] {
  const children = [...parents.keys()].filter((child) => parents.get(child) === pid);
  return [pid, ...children.flatMap((child) => treeOf(child, parents))];
}
