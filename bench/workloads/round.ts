import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../src/core/base/failure.ts';
import { LATEST, listOffset } from '../../src/host/kafka/admin.ts';
import type { ClusterConnections } from '../../src/host/kafka/cluster-connections.ts';
import { ROOT } from '../../test/support/needs.ts';
import { javaOf } from '../../test/support/trogdor/jars.ts';
import { writeTrogdorConfig } from '../../test/support/trogdor/real.ts';
import { UsageWatch, type Usage } from './usage.ts';

export const RIVALS = ['trogdor', 'faultline'] as const;
export type Rival = (typeof RIVALS)[number];

/** One run of a load by one rival's agent, as a task of its own (`--exec`). */
export interface Round extends Usage {
  recordsPerSecond: number;
  cpuUsPerRecord: number;
  status: Record<string, number>;
}

const LOOK_MS = 25;
/** One that has said how its task ended has this long to end itself: the JVM may hang in its shutdown hook. */
const LINGERS_MS = 2_000;

/** A JVM as Kafka's own scripts start one for a tool: 256 MB of heap. */
function argvOf(rival: Rival): string[] {
  if (rival === 'faultline') return [join(ROOT, 'compat', 'trogdor.sh'), 'agent'];
  const [java = 'java', , , ...rest] = javaOf('org.apache.kafka.trogdor.agent.Agent');
  return [java, '-Xmx256m', ...rest];
}

/**
 * Runs a spec to its end. How fast it was is seen from outside, for both alike: the time from the first
 * record in the topic to the last, or until the agent says that it is done.
 */
export async function roundOf(
  rival: Rival,
  spec: { maxMessages: number; [field: string]: unknown },
  topic: string,
  connections: ClusterConnections,
  until: 'written' | 'done',
): Promise<Round> {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-bench-load-'));
  try {
    const config = join(directory, 'trogdor.conf');
    writeTrogdorConfig(config, { n1: { hostname: '127.0.0.1', 'trogdor.agent.port': 0 } });
    const [command = '', ...argv] = argvOf(rival);
    const rest = ['--agent.config', config, '--node-name', 'n1', '--exec', JSON.stringify(spec)];
    const env = { ...process.env, FAULTLINE_STATE: directory };
    const child = spawn(command, [...argv, ...rest], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const watch = new UsageWatch(child.pid ?? -1);
    let said = '';
    let saidMs: number | undefined;
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (saidMs !== undefined || !/Task (succeeded|failed)/.test(said)) return;
      saidMs = performance.now();
      setTimeout(() => child.kill('SIGKILL'), LINGERS_MS).unref();
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const seen = await Promise.race([
      seenOf(connections, topic, spec.maxMessages),
      ended.then(() => undefined),
    ]);
    await ended;
    const endMs = until === 'written' ? seen?.lastMs : saidMs;
    const seconds = seen && endMs !== undefined ? (endMs - seen.firstMs) / 1_000 : undefined;
    const usage = watch.end();
    const status = /Task succeeded with status [^{]*(\{[^]*\})/.exec(said)?.[1];
    if (seconds === undefined || status === undefined)
      throw new Error(`${rival} did not do it: ${said.slice(-2_000)}`);
    return {
      ...usage,
      recordsPerSecond: Math.round(spec.maxMessages / seconds),
      cpuUsPerRecord: (usage.cpuSeconds * 1e6) / spec.maxMessages,
      status: numbersOf(status),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A status is text inside of text, where it is one of Trogdor's. */
function numbersOf(status: string): Record<string, number> {
  const plain = status.includes('\\"') ? status.replaceAll('\\"', '"') : status;
  return JSON.parse(plain) as Record<string, number>;
}

/** When the first and the last record were there. */
async function seenOf(
  connections: ClusterConnections,
  topic: string,
  records: number,
): Promise<{ firstMs: number; lastMs: number }> {
  let firstMs: number | undefined;
  for (;;) {
    const count = await countOf(connections, topic);
    if (count > 0) firstMs ??= performance.now();
    if (firstMs !== undefined && count >= records) return { firstMs, lastMs: performance.now() };
    await sleep(LOOK_MS);
  }
}

async function countOf(connections: ClusterConnections, topic: string): Promise<number> {
  try {
    const { topics } = await connections.metadata([topic]);
    let sum = 0;
    for (const { partitionIndex, leaderId } of topics[0]?.partitions ?? []) {
      const leader = await connections.to(leaderId);
      sum += await listOffset(leader, topic, partitionIndex, LATEST, false);
    }
    return sum;
  } catch (error) {
    // Not there yet.
    if (error instanceof Failure) return 0;
    throw error;
  }
}
