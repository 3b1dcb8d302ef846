import { ConfigResourceTypes, incrementalAlterConfigsV1 } from '@platformatic/kafka';
import type { RoundTripParams } from '../../../core/workloads/bench/round-trip.ts';
import { Reader } from '../../kafka/reader.ts';
import { ShareMember } from '../../kafka/share-member.ts';
import { ClientConf } from './client-conf.ts';
import { soonAfter, type BenchContext } from './context.ts';
import type { LoadPlace } from './producer-load.ts';
import { READER_CONF, readerSettings, shareLimits } from './reader-conf.ts';
import type { Tickets } from './tickets.ts';

/** What brings the records of a round trip back. */
interface Receiver {
  start(): void;
  close(): Promise<void>;
  /** Errors so far, in words. */
  readonly troubles: string;
}

export type MakeReceiver = (
  params: RoundTripParams,
  /** With the ends of their logs before the load. */
  places: readonly (LoadPlace & { position: number })[],
  tickets: Tickets,
  context: BenchContext,
) => Promise<Receiver>;

function confOf({ bootstrapServers, commonClientConf, consumerConf }: RoundTripParams): ClientConf {
  const conf = new ClientConf(bootstrapServers, commonClientConf, consumerConf);
  conf.tellUnused(READER_CONF);
  return conf;
}

function inWords(errors: ReadonlyMap<string, number>): string {
  const said = [...errors].map(([name, count]) => `${name} (${count})`);
  return said.length === 0 ? 'no error' : said.join(', ');
}

/** A reader of its own, from the ends of the logs on. */
export const plainReceiver: MakeReceiver = async (params, places, tickets) => {
  const conf = confOf(params);
  const reader = new Reader(conf.connect('faultline-consumer'), places, readerSettings(conf), {
    polled: ({ batches }) => {
      for (const batch of batches)
        for (const { key, value } of batch.records) tickets.receive(key, value);
    },
    pollFailed: () => undefined,
    sought: ({ topic, topicPartition }, from, to, why) =>
      console.error(`${topic}-${topicPartition}: from ${from} to ${to}: ${why}`),
  });
  return {
    start: () => reader.start(),
    close: () => reader.close(),
    get troubles() {
      return inWords(reader.errors);
    },
  };
};

/** IncrementalAlterConfigs: set. */
const SET = 0 as const;

/** A share group of its own, which begins at the start of the logs; what was there before is passed over. */
export const groupReceiver: MakeReceiver = async (params, places, tickets, context) => {
  const conf = confOf(params);
  const connections = conf.connect('faultline-share-consumer');
  const group = `round-trip-share-group-${context.run}`;
  const configs = [{ name: 'share.auto.offset.reset', configOperation: SET, value: 'earliest' }];
  const resource = { resourceType: ConfigResourceTypes.GROUP, resourceName: group, configs };
  await connections.any((one) => one.call(incrementalAlterConfigsV1.api, [resource], false));
  const from = new Map(
    places.map(({ topic, topicPartition, position }) => [`${topic}-${topicPartition}`, position]),
  );
  const topics = [...new Set(places.map(({ topic }) => topic))];
  const settings = { group, topics, ...shareLimits(conf) };
  const member = new ShareMember(connections, settings, {
    take: ({ topic, topicPartition, offset, key, value }) => {
      const isOurs = offset >= (from.get(`${topic}-${topicPartition}`) ?? 0);
      if (isOurs) tickets.receive(key, value);
      return true;
    },
    fetched: () => 0,
  });
  const ending = new AbortController();
  let running: Promise<void> = Promise.resolve();
  return {
    start: () => {
      running = member.run(ending.signal);
    },
    close: async () => {
      ending.abort();
      await Promise.race([running, soonAfter(ending.signal)]);
      connections.close();
    },
    get troubles() {
      return inWords(member.errors);
    },
  };
};
