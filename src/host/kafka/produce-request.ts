import { createAPI, produceV9, Writer, type API } from '@platformatic/kafka';

export type ProduceResponse = ReturnType<typeof produceV9.parseResponse>;

/** A batch, encoded, and where it is to be written. */
export interface PlacedBatch {
  topic: string;
  topicPartition: number;
  bytes: Buffer;
}

/**
 * Produce v9 (Kafka 2.8 and later) whose records are bytes we encoded ourselves: a retry sends the
 * very same bytes. A topic-partition has one batch a request; the answer is parsed by the library.
 */
function createRequest(
  acks: number,
  timeoutMs: number,
  batches: readonly PlacedBatch[],
  transactionalId: string | null,
): Writer {
  const topics = Map.groupBy(batches, ({ topic }) => topic);
  const writer = Writer.create()
    .appendString(transactionalId)
    .appendInt16(acks)
    .appendInt32(timeoutMs)
    .appendUnsignedVarInt(topics.size + 1);
  for (const [topic, its] of topics) {
    writer.appendString(topic).appendUnsignedVarInt(its.length + 1);
    for (const { topicPartition, bytes } of its)
      writer
        .appendInt32(topicPartition)
        .appendUnsignedVarInt(bytes.length + 1)
        .append(bytes)
        .appendTaggedFields();
    writer.appendTaggedFields();
  }
  writer.appendTaggedFields();
  if (acks === 0) (writer.context as { noResponse?: boolean }).noResponse = true;
  return writer;
}

export type ProduceArguments = Parameters<typeof createRequest>;

export const produce: API<ProduceArguments, ProduceResponse> = createAPI(
  0,
  9,
  createRequest,
  produceV9.parseResponse,
);
