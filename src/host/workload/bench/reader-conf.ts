import type { ReaderSettings } from '../../kafka/reader.ts';
import type { ShareFetchLimits } from '../../kafka/share-requests.ts';
import type { ClientConf } from './client-conf.ts';

/** Of what KafkaConsumer can be told, what has an effect here. */
export const READER_CONF: ReadonlySet<string> = new Set([
  'auto.commit.interval.ms',
  'auto.offset.reset',
  'enable.auto.commit',
  'fetch.max.bytes',
  'fetch.max.wait.ms',
  'fetch.min.bytes',
  'group.id',
  'group.protocol',
  'group.remote.assignor',
  'heartbeat.interval.ms',
  'isolation.level',
  'max.partition.fetch.bytes',
  'max.poll.interval.ms',
  'max.poll.records',
  'session.timeout.ms',
]);

/** @throws Failure `bad-client-conf`. */
export function readerSettings(conf: ClientConf): ReaderSettings {
  return {
    readCommitted: conf.text('isolation.level', 'read_uncommitted') === 'read_committed',
    minBytes: conf.whole('fetch.min.bytes', 1),
    maxWaitMs: conf.whole('fetch.max.wait.ms', 500),
    backoffMs: conf.whole('retry.backoff.ms', 100),
    // KafkaConsumer may have 50 MiB; an answer is decoded as a whole, and memory is to be kept small.
    mostBytes: Math.min(conf.whole('fetch.max.bytes', 4_194_304), 52_428_800),
    mostBytesAPlace: conf.whole('max.partition.fetch.bytes', 1_048_576),
  };
}

export function shareLimits(conf: ClientConf): ShareFetchLimits {
  const { minBytes, maxWaitMs, mostBytes = 4_194_304 } = readerSettings(conf);
  return {
    minBytes,
    maxWaitMs,
    maxBytes: mostBytes,
    maxRecords: conf.whole('max.poll.records', 500),
  };
}
