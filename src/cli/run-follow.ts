import { formatDuration } from '../core/base/duration.ts';
import type { FaultStatus } from '../core/model/fault-status.ts';
import { hasEnded } from '../core/model/lifecycle.ts';
import type { RunStatus } from '../core/model/run.ts';
import type { ClusterSnapshot } from '../core/model/topology.ts';
import type { HttpClient } from '../host/http-client.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../core/base/failure.ts';
import type { CliContext } from './context.ts';

const LOOK_MS = 500;
/** Without a terminal a line this often is enough, and one at every change of phase. */
const PLAIN_LINE_MS = 5_000;
/** A coordinator that is being restarted is waited for this long. */
const AWAY_MS = 60_000;

/** What the follower shows of one moment. */
interface Moment {
  run: RunStatus;
  faults: FaultStatus[];
  cluster: ClusterSnapshot | undefined;
}

interface ClusterAnswer {
  snapshot: ClusterSnapshot | null;
}

function inForce(faults: readonly FaultStatus[]): string {
  const standing = faults.filter(({ state }) => !hasEnded(state) && state !== 'pending');
  if (standing.length === 0) return 'no fault';
  return standing
    .map(({ kind, targets, state }) => {
      const where = targets.length === 0 ? '' : ` ${targets.join('+')}`;
      return `${kind}${where}${state === 'active' ? '' : ` (${state})`}`;
    })
    .join(', ');
}

/** Leaders and replicas of the run's topic-partitions: `leaders 1:2 2:3 3:1, ISR 16/18`. */
function clusterText(cluster: ClusterSnapshot | undefined, topic: string): string {
  const watched = cluster?.topicPartitions.filter((state) => state.topic === topic) ?? [];
  if (watched.length === 0) return 'cluster unseen';
  const leaders = new Map<number, number>();
  for (const { leader } of watched) leaders.set(leader, (leaders.get(leader) ?? 0) + 1);
  const text = [...leaders]
    .toSorted(([a], [b]) => a - b)
    .map(([leader, count]) => `${leader < 0 ? 'none' : leader}:${count}`)
    .join(' ');
  const inSync = watched.reduce((sum, { isr }) => sum + isr.length, 0);
  const replicas = watched.reduce((sum, state) => sum + state.replicas.length, 0);
  return `leaders ${text}, ISR ${inSync}/${replicas}`;
}

/** One line for one moment. */
export function progressLine({ run, faults, cluster }: Moment, nowMs: number): string {
  const sinceMs = Math.max(0, nowMs - Date.parse(run.startedAt));
  const elapsed = formatDuration(Math.floor(sinceMs / 1_000) * 1_000).padStart(6);
  const { progress } = run;
  const records = progress
    ? `${progress.acknowledged} acked (${progress.acknowledgedPerSecond}/s), ${progress.read} read`
    : 'no records yet';
  const topic = run.workload ? `faultline-${run.workload.id}` : '';
  const params = run.scenario.workload?.params?.['topic'];
  const seen = clusterText(cluster, typeof params === 'string' ? params : topic);
  return `${elapsed}  ${run.phase.padEnd(11)} ${inForce(faults)}; ${records}; ${seen}`;
}

/**
 * Follows a run to its end. On a terminal one line is rewritten, elsewhere plain lines are added;
 * standard error either way.
 * @throws Failure where the coordinator stays away, or the signal aborts (the run goes on then).
 */
export async function followRun(
  context: CliContext,
  client: HttpClient,
  id: string,
  signal: AbortSignal,
): Promise<RunStatus> {
  const { stderr } = context.process;
  const rewriting = stderr.isTTY === true;
  let lastLineAtMs = 0;
  let lastPhase = '';
  let seenAtMs = Date.now();
  for (;;) {
    signal.throwIfAborted();
    const moment = await look(client, id, () => Date.now() - seenAtMs > AWAY_MS);
    const nowMs = Date.now();
    if (moment !== undefined) {
      seenAtMs = nowMs;
      const line = progressLine(moment, nowMs);
      const due = moment.run.phase !== lastPhase || nowMs - lastLineAtMs >= PLAIN_LINE_MS;
      if (rewriting)
        stderr.write(`\r\u001b[2K${line.slice(0, (context.process.stdout.columns ?? 120) - 1)}`);
      else if (due) stderr.write(`${line}\n`);
      if (due) [lastLineAtMs, lastPhase] = [nowMs, moment.run.phase];
      if (moment.run.phase === 'done') {
        if (rewriting) stderr.write('\n');
        return moment.run;
      }
    }
    await sleep(LOOK_MS);
  }
}

/** undefined: the coordinator does not answer just now. */
async function look(
  client: HttpClient,
  id: string,
  tooLong: () => boolean,
): Promise<Moment | undefined> {
  try {
    const [run, { faults }, cluster] = await Promise.all([
      client.get<RunStatus>(`/v1/runs/${id}`, { timeoutMs: 5_000 }),
      client.get<{ faults: FaultStatus[] }>('/v1/faults', { query: { run: id }, timeoutMs: 5_000 }),
      client.get<ClusterAnswer>('/v1/cluster', { timeoutMs: 5_000 }),
    ]);
    return { run, faults, cluster: cluster.snapshot ?? undefined };
  } catch (error) {
    if (!(error instanceof Failure) || tooLong()) throw error;
    // It may be coming back: runs survive their coordinator.
    return undefined;
  }
}
