import { createAPI, fetchV12, type API, type Reader } from '@platformatic/kafka';
import type { AbortedTransaction } from './aborted.ts';

export interface FetchedTopicPartition {
  topic: string;
  topicPartition: number;
  errorCode: number;
  highWatermark: number;
  lastStableOffset: number;
  logStartOffset: number;
  aborted: AbortedTransaction[];
  /** The bytes as they came, so that CRCs can be verified. */
  records: Buffer;
}

export interface Fetched {
  errorCode: number;
  topicPartitions: FetchedTopicPartition[];
}

function readTopicPartition(reader: Reader, topic: string): FetchedTopicPartition {
  const read: FetchedTopicPartition = {
    topic,
    topicPartition: reader.readInt32(),
    errorCode: reader.readInt16(),
    highWatermark: Number(reader.readInt64()),
    lastStableOffset: Number(reader.readInt64()),
    logStartOffset: Number(reader.readInt64()),
    aborted: reader.readArray((inner) => ({
      producerId: Number(inner.readInt64()),
      firstOffset: Number(inner.readInt64()),
    })),
    records: Buffer.alloc(0),
  };
  reader.readInt32(); // preferred read replica
  read.records = Buffer.from(reader.readBytes());
  reader.readTaggedFields();
  return read;
}

/** Fetch v12 response (Kafka protocol guide), records left as bytes; errors are values. */
function parseResponse(_id: number, _key: number, _version: number, reader: Reader): Fetched {
  reader.readInt32(); // throttle time
  const errorCode = reader.readInt16();
  reader.readInt32(); // session id: sessions are not used
  const topicPartitions: FetchedTopicPartition[] = [];
  reader.readArray((inner) => {
    const topic = inner.readString();
    inner.readArray((deep) => topicPartitions.push(readTopicPartition(deep, topic)), true, false);
  });
  reader.readTaggedFields();
  return { errorCode, topicPartitions };
}

export type FetchArguments = Parameters<typeof fetchV12.createRequest>;

/** Fetch v12 (Kafka 2.7 and later; topics by name). */
export const fetchRecords: API<FetchArguments, Fetched> = createAPI(
  1,
  12,
  fetchV12.createRequest,
  parseResponse,
);
