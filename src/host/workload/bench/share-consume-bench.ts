import type { ShareConsumeBenchParams } from '../../../core/workloads/bench/share-consume-bench.ts';
import { readTopics } from '../../../core/workloads/topics-spec.ts';
import { ShareMember } from '../../kafka/share-member.ts';
import { ClientConf } from './client-conf.ts';
import { soonAfter, type BenchRun } from './context.ts';
import { READER_CONF, shareLimits } from './reader-conf.ts';
import { ReadCounts } from './read-counts.ts';

/** See core/workloads/bench/share-consume-bench.ts; what is one too many is given back to the group. */
export const shareConsumeBench: BenchRun = async (given, context) => {
  const params = given as ShareConsumeBenchParams;
  const { bootstrapServers, commonClientConf, consumerConf, shareGroup: group } = params;
  const conf = new ClientConf(bootstrapServers, commonClientConf, consumerConf);
  conf.tellUnused(READER_CONF);
  const wanted = readTopics(params.activeTopics);
  const topics = wanted.ok ? wanted.value.topics : [];
  const limits = shareLimits(conf);
  const members = Array.from({ length: params.threadsPerWorker }, (_, index) => {
    const counts = new ReadCounts({
      perSecond: params.targetMessagesPerSec,
      maxMessages: params.maxMessages,
      processor: params.recordProcessor,
    });
    const clientId = `consumer.${context.task}-${index}`;
    const connections = conf.connect(clientId);
    const member = new ShareMember(
      connections,
      { group, topics, ...limits },
      {
        take: (record) => counts.take(record),
        fetched: (count, tookMs) => counts.polled(count, tookMs),
      },
    );
    return { clientId, counts, connections, member };
  });
  context.show(() =>
    Object.fromEntries(
      members.map(({ clientId, counts }) => [clientId, { subscription: topics, ...counts.status }]),
    ),
  );
  // A member that waits for a broker when the end comes is not waited for.
  await Promise.race([
    Promise.all(
      members.map(({ member, counts }) =>
        member.run(AbortSignal.any([context.signal, counts.enough])),
      ),
    ),
    soonAfter(context.signal),
  ]);
  for (const { connections } of members) connections.close();
  if (context.endedBy() === 'request' || members.every(({ counts }) => counts.enough.aborted))
    return undefined;
  if (members.some(({ member }) => member.answers > 0)) return undefined;
  const errors = [...new Set(members.flatMap(({ member }) => [...member.errors.keys()]))].join(
    ', ',
  );
  return `nothing could be read: ${errors === '' ? 'no broker answers' : errors}`;
};
