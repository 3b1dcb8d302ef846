import type { ConnectionStressParams } from '../../../core/workloads/bench/connection-stress.ts';
import { steadyPace, type Pace } from '../../../core/workloads/pace.ts';
import { reasonOf } from '../../../core/base/failure.ts';
import { ClientConf } from './client-conf.ts';
import { pause, soonAfter, type BenchRun } from './context.ts';

interface Counts {
  total: number;
  failed: number;
  lastError: string;
}

/** See core/workloads/bench/connection-stress.ts; runs until its time is up. */
export const connectionStress: BenchRun = async (given, context) => {
  const params = given as ConnectionStressParams;
  const { bootstrapServers, commonClientConf, numThreads, targetConnectionsPerSec } = params;
  const conf = new ClientConf(bootstrapServers, commonClientConf);
  conf.tellUnused(new Set());
  const counts: Counts = { total: 0, failed: 0, lastError: '' };
  const beganMs = performance.now();
  context.show(() => ({
    totalConnections: counts.total,
    totalFailedConnections: counts.failed,
    connectsPerSec: counts.total / Math.max(0.001, (performance.now() - beganMs) / 1_000),
  }));
  const pace = steadyPace(targetConnectionsPerSec);
  const threads = Array.from({ length: Math.max(1, numThreads) }, () =>
    connectAgain(conf, params.action, pace, counts, context.signal),
  );
  // What is still being tried a moment after the end is neither.
  await Promise.race([Promise.all(threads), soonAfter(context.signal)]);
  if (context.endedBy() === 'request' || counts.total > counts.failed) return undefined;
  return counts.total === 0
    ? 'no connection was tried'
    : `all ${counts.failed} connections failed: ${counts.lastError}`;
};

async function connectAgain(
  conf: ClientConf,
  action: ConnectionStressParams['action'],
  pace: Pace,
  counts: Counts,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const nowMs = performance.now();
    if (pace.room(nowMs) < 1) {
      await pause(pace.waitMs(nowMs), signal);
      continue;
    }
    pace.take(1);
    const error = await connectOnce(conf, action);
    counts.total++;
    if (error === undefined) continue;
    counts.failed++;
    counts.lastError = error;
  }
}

/** A client of its own that does one thing. @returns why it failed. */
async function connectOnce(
  conf: ClientConf,
  action: ConnectionStressParams['action'],
): Promise<string | undefined> {
  const connections = conf.connect('faultline-connection-stress');
  try {
    if (action === 'CONNECT') await connections.first();
    else await connections.metadata([]);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  } finally {
    connections.close();
  }
}
