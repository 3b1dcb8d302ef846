import { randomUUID } from 'node:crypto';
import type { ProduceBenchParams } from '../../../core/workloads/bench/produce-bench.ts';
import { steadyPace, transactionRule } from '../../../core/workloads/pace.ts';
import { payloadGenerator } from '../../../core/workloads/payload-generator.ts';
import { loadTopics, type LoadTopic } from '../../../core/workloads/topics-spec.ts';
import { Transactions } from '../../kafka/transaction.ts';
import { ClientConf } from './client-conf.ts';
import type { BenchRun } from './context.ts';
import { Partitioner, placesOf } from './partitioner.ts';
import { PRODUCER_CONF, ProducerLoad } from './producer-load.ts';
import { recordLoop } from './record-loop.ts';
import { haveTopics } from './topics.ts';
import { TransactionTurns } from './transaction-turns.ts';

function topicsOf(spec: ProduceBenchParams['activeTopics']): LoadTopic[] {
  const topics = loadTopics(spec);
  return topics.ok ? topics.value : [];
}

/** See core/workloads/bench/produce-bench.ts; status and meaning as in Trogdor's ProduceBenchSpec. */
export const produceBench: BenchRun = async (given, context) => {
  const params = given as ProduceBenchParams;
  const { bootstrapServers, commonClientConf, adminClientConf, producerConf } = params;
  const active = topicsOf(params.activeTopics);
  const admin = new ClientConf(bootstrapServers, commonClientConf, adminClientConf);
  const conf = new ClientConf(bootstrapServers, commonClientConf, producerConf);
  conf.tellUnused(PRODUCER_CONF);
  const connections = admin.connect('faultline-admin');
  try {
    await haveTopics(connections, [...active, ...topicsOf(params.inactiveTopics)], context);
  } finally {
    connections.close();
  }
  if (context.signal.aborted) return undefined;
  const turns = await transactionsOf(params, conf);
  try {
    return await send(params, conf, active, turns, context);
  } finally {
    turns?.close();
  }
};

async function transactionsOf({ transactionGenerator }: ProduceBenchParams, conf: ClientConf) {
  if (transactionGenerator === undefined) return undefined;
  const connections = conf.connect('faultline-transactions');
  const transactions = new Transactions(
    connections,
    randomUUID(),
    conf.whole('max.block.ms', 60_000),
  );
  const turns = new TransactionTurns(transactions, transactionRule(transactionGenerator), () =>
    connections.close(),
  );
  try {
    await turns.open(conf.whole('transaction.timeout.ms', 60_000));
  } catch (error) {
    turns.close();
    throw error;
  }
  return turns;
}

async function send(
  params: ProduceBenchParams,
  conf: ClientConf,
  active: readonly LoadTopic[],
  turns: TransactionTurns | undefined,
  context: Parameters<BenchRun>[1],
): Promise<string | undefined> {
  const places = placesOf(active);
  const { transaction } = turns ?? {};
  const load = new ProducerLoad({
    connections: conf.connect('faultline-producer'),
    places,
    conf,
    ...(transaction ? { transaction } : {}),
  });
  turns?.use(load, places);
  context.show(() => ({
    totalSent: load.acknowledged,
    ...load.timings.status,
    transactionsCommitted: turns?.committed ?? 0,
    ...(load.failed > 0 ? { totalFailed: load.failed, errors: load.troubles } : {}),
  }));
  load.start();
  const place = placer(params, active, places.length, conf.whole('batch.size', 16_384));
  const [key, value] = [params.keyGenerator, params.valueGenerator].map(payloadGenerator);
  try {
    await recordLoop({
      load,
      pace: steadyPace(Math.max(1, params.targetMessagesPerSec)),
      most: params.maxMessages,
      signal: context.signal,
      ...(turns
        ? { before: (index, nowMs) => turns.before(index % places.length, nowMs, context.signal) }
        : {}),
      make: (index, wallMs, nowMs) => {
        const [ownKey, ownValue] = [key?.(index, wallMs) ?? null, value?.(index, wallMs) ?? null];
        load.append(place(index, ownKey, ownValue), ownKey, ownValue, wallMs, nowMs);
      },
    });
    if (!params.skipFlush) await load.flush(context.signal);
    await load.lastWord();
    await turns?.finish();
    return context.endedBy() === 'request' ? undefined : load.verdict;
  } finally {
    load.close();
  }
}

type Place = (index: number, key: Uint8Array | null, value: Uint8Array | null) => number;

function placer(
  { useConfiguredPartitioner }: ProduceBenchParams,
  active: readonly LoadTopic[],
  count: number,
  stickyBytes: number,
): Place {
  if (!useConfiguredPartitioner) return (index) => index % count;
  const partitioner = new Partitioner(active, stickyBytes);
  return (index, key, value) => partitioner.place(index, key, value?.length ?? 0);
}
