import { createAPI, produceV9, Writer, type API } from '@platformatic/kafka';

export type ProduceResponse = ReturnType<typeof produceV9.parseResponse>;

/**
 * Produce v9 (Kafka 2.8 and later) whose records are bytes we encoded ourselves: a retry sends the
 * very same bytes. One topic-partition with one batch a request; the answer is parsed by the library.
 */
function createRequest(
  acks: number,
  timeoutMs: number,
  topic: string,
  topicPartition: number,
  batch: Buffer,
  transactionalId: string | null,
): Writer {
  const writer = Writer.create()
    .appendString(transactionalId)
    .appendInt16(acks)
    .appendInt32(timeoutMs)
    .appendUnsignedVarInt(2)
    .appendString(topic)
    .appendUnsignedVarInt(2)
    .appendInt32(topicPartition)
    .appendUnsignedVarInt(batch.length + 1)
    .append(batch)
    .appendTaggedFields()
    .appendTaggedFields()
    .appendTaggedFields();
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
