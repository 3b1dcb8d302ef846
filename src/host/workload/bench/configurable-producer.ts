import { fnv1a64 } from '../../../core/base/hash.ts';
import { Random } from '../../../core/base/random.ts';
import type { ConfigurableProducerParams } from '../../../core/workloads/bench/configurable-producer.ts';
import { flushRule, paceOf } from '../../../core/workloads/pace.ts';
import { payloadGenerator } from '../../../core/workloads/payload-generator.ts';
import { loadTopics } from '../../../core/workloads/topics-spec.ts';
import { ClientConf } from './client-conf.ts';
import type { BenchRun } from './context.ts';
import { Partitioner, placesOf } from './partitioner.ts';
import { PRODUCER_CONF, ProducerLoad } from './producer-load.ts';
import { recordLoop } from './record-loop.ts';
import { haveTopics } from './topics.ts';

/** See core/workloads/bench/configurable-producer.ts; runs until its time is up. */
export const configurableProducer: BenchRun = async (given, context) => {
  const params = given as ConfigurableProducerParams;
  const { bootstrapServers, commonClientConf, adminClientConf, producerConf } = params;
  const topics = loadTopics(params.activeTopic);
  const active = topics.ok ? topics.value : [];
  const conf = new ClientConf(bootstrapServers, commonClientConf, producerConf);
  conf.tellUnused(PRODUCER_CONF);
  const admin = new ClientConf(bootstrapServers, commonClientConf, adminClientConf);
  const connections = admin.connect('faultline-admin');
  try {
    await haveTopics(connections, active, context);
  } finally {
    connections.close();
  }
  if (context.signal.aborted) return undefined;
  const places = placesOf(active);
  const load = new ProducerLoad({ connections: conf.connect('faultline-producer'), places, conf });
  context.show(() => ({
    totalSent: load.acknowledged,
    ...load.timings.status,
    ...(load.failed > 0 ? { totalFailed: load.failed, errors: load.troubles } : {}),
  }));
  load.start();
  const random = new Random(fnv1a64(context.run));
  const flushes = flushRule(params.flushGenerator, random.fork('flush'));
  const partitioner = new Partitioner(active, conf.whole('batch.size', 16_384));
  const fixed = places.findIndex((one) => one.topicPartition === params.activePartition);
  const [key, value] = [params.keyGenerator, params.valueGenerator].map(payloadGenerator);
  let flush = false;
  try {
    await recordLoop({
      load,
      pace: paceOf(params.throughputGenerator, random.fork('throughput')),
      most: Number.POSITIVE_INFINITY,
      signal: context.signal,
      before: () => (flush ? load.flush(context.signal) : undefined),
      make: (index, wallMs, nowMs) => {
        const [ownKey, ownValue] = [key?.(index, wallMs) ?? null, value?.(index, wallMs) ?? null];
        const place = fixed >= 0 ? fixed : partitioner.place(index, ownKey, ownValue?.length ?? 0);
        load.append(place, ownKey, ownValue, wallMs, nowMs);
        flush = flushes();
      },
    });
    await load.lastWord();
    return context.endedBy() === 'request' ? undefined : load.verdict;
  } finally {
    load.close();
  }
};
