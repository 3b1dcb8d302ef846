import type { RunView } from '../../core/coordinator/run-record.ts';
import type { ClusterSnapshot } from '../../core/model/topology.ts';

/** A view older than this says nothing about now. */
const FRESH_MS = 5_000;

/**
 * Whether every topic-partition has a leader and all its replicas in sync.
 * @param topic the workload's, whose topic-partitions must be there; undefined: all that are seen.
 */
export function wholeness(
  snapshot: ClusterSnapshot | undefined,
  topic: string | undefined,
  nowMs: number,
): Pick<RunView, 'whole' | 'wholeSays'> {
  const not = (wholeSays: string) => ({ whole: false, wholeSays });
  // cluster.yaml names no bootstrap: then only the workload can tell.
  if (snapshot === undefined) return { whole: true, wholeSays: 'nobody looks at the cluster' };
  if (snapshot.error !== undefined) return not(`the view of the cluster: ${snapshot.error}`);
  if (nowMs - snapshot.takenAtMs > FRESH_MS) return not('the view of the cluster is out of date');
  const watched = snapshot.topicPartitions.filter(
    (state) => topic === undefined || state.topic === topic,
  );
  if (topic !== undefined && watched.length === 0) return not(`topic ${topic} is not seen`);
  const leaderless = watched.filter(({ leader }) => leader < 0);
  const short = watched.filter(({ isr, replicas }) => isr.length < replicas.length);
  if (leaderless.length > 0) return not(`${leaderless.length} topic-partitions have no leader`);
  if (short.length > 0) return not(`${short.length} topic-partitions lack replicas in sync`);
  return { whole: true, wholeSays: 'every topic-partition has its leader and its replicas' };
}
