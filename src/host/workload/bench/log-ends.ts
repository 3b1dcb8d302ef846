import { Failure } from '../../../core/base/failure.ts';
import { LATEST, listOffset } from '../../kafka/admin.ts';
import type { ClusterConnections } from '../../kafka/cluster-connections.ts';
import { pause } from './context.ts';
import type { LoadPlace } from './producer-load.ts';

const RETRY_MS = 200;

/** The ends of the logs as they are now, asked until all leaders answer. @throws Failure at the end. */
export async function logEnds(
  connections: ClusterConnections,
  places: readonly LoadPlace[],
  signal: AbortSignal,
): Promise<(LoadPlace & { position: number })[]> {
  for (;;) {
    try {
      return await askEnds(connections, places);
    } catch (error) {
      if (!(error instanceof Failure) || signal.aborted) throw error;
      await pause(RETRY_MS, signal);
    }
  }
}

async function askEnds(connections: ClusterConnections, places: readonly LoadPlace[]) {
  const { topics } = await connections.metadata([...new Set(places.map(({ topic }) => topic))]);
  const ends: (LoadPlace & { position: number })[] = [];
  for (const { topic, topicPartition } of places) {
    const state = topics
      .find(({ name }) => name === topic)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === topicPartition);
    const leader = await connections.to(state?.leaderId ?? -1);
    const position = await listOffset(leader, topic, topicPartition, LATEST, false);
    ends.push({ topic, topicPartition, position });
  }
  return ends;
}
