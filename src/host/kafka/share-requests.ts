import { createAPI, ResponseError, Writer, type API, type Reader } from '@platformatic/kafka';

/**
 * Share groups (KIP-932): ShareGroupHeartbeat, ShareFetch and ShareAcknowledge of version 1, which Kafka
 * 4.1 and later have. The library has no codecs of them.
 */
export interface ShareHeartbeat {
  memberEpoch: number;
  heartbeatMs: number;
  /** null: as before. */
  assigned: SharePlace[] | null;
}

export interface SharePlace {
  topicId: string;
  topicPartition: number;
}

export const ACCEPT = 1;
export const RELEASE = 2;

/** What becomes of records first to last, both included. */
export interface Acknowledged {
  first: number;
  last: number;
  type: typeof ACCEPT | typeof RELEASE;
}

/** A topic-partition of a share session, with what was received of it before. */
export interface ShareAsked extends SharePlace {
  acknowledged: readonly Acknowledged[];
}

export interface ShareFetched extends SharePlace {
  errorCode: number;
  acknowledgeErrorCode: number;
  records: Buffer;
  acquired: { first: number; last: number }[];
}

/** Errors at the top of an answer, as the library's own parsers throw them. */
function check(
  key: number,
  version: number,
  errorCode: number,
  message: string | null,
  answer: object,
) {
  if (errorCode !== 0) throw new ResponseError(key, version, { '/': [errorCode, message] }, answer);
}

function heartbeatRequest(
  groupId: string,
  memberId: string,
  memberEpoch: number,
  topics: string[] | null,
): Writer {
  return Writer.create()
    .appendString(groupId)
    .appendString(memberId)
    .appendInt32(memberEpoch)
    .appendString(null)
    .appendArray(topics, (writer, topic) => writer.appendString(topic), true, false)
    .appendTaggedFields();
}

function readAssignment(reader: Reader): SharePlace[] | null {
  // A struct that may be null: -1, or 1 and then its members.
  if (reader.readInt8() < 0) return null;
  const places: SharePlace[] = [];
  reader.readArray((inner) => {
    const topicId = inner.readUUID();
    inner.readArray(
      (deep) => places.push({ topicId, topicPartition: deep.readInt32() }),
      true,
      false,
    );
  });
  reader.readTaggedFields();
  return places;
}

function heartbeatResponse(
  _id: number,
  key: number,
  version: number,
  reader: Reader,
): ShareHeartbeat {
  reader.readInt32(); // throttle time
  const errorCode = reader.readInt16();
  const message = reader.readNullableString();
  reader.readNullableString(); // member id: our own
  const answer: ShareHeartbeat = {
    memberEpoch: reader.readInt32(),
    heartbeatMs: reader.readInt32(),
    assigned: readAssignment(reader),
  };
  check(key, version, errorCode, message, answer);
  return answer;
}

export const shareHeartbeat: API<Parameters<typeof heartbeatRequest>, ShareHeartbeat> = createAPI(
  76,
  1,
  heartbeatRequest,
  heartbeatResponse,
);

function appendTopics(writer: Writer, asked: readonly ShareAsked[]): Writer {
  const topics = [...new Set(asked.map(({ topicId }) => topicId))];
  return writer.appendArray(topics, (inner, topicId) => {
    const own = asked.filter((place) => place.topicId === topicId);
    inner.appendUUID(topicId).appendArray(own, (deep, { topicPartition, acknowledged }) => {
      deep
        .appendInt32(topicPartition)
        .appendArray([...acknowledged], (row, { first, last, type }) => {
          row
            .appendInt64(BigInt(first))
            .appendInt64(BigInt(last))
            .appendArray([type], (one, value) => one.appendInt8(value), true, false);
        });
    });
  });
}

export interface ShareFetchLimits {
  maxWaitMs: number;
  minBytes: number;
  maxBytes: number;
  maxRecords: number;
}

function fetchRequest(
  groupId: string,
  memberId: string,
  sessionEpoch: number,
  { maxWaitMs, minBytes, maxBytes, maxRecords }: ShareFetchLimits,
  asked: readonly ShareAsked[],
): Writer {
  const writer = Writer.create()
    .appendString(groupId)
    .appendString(memberId)
    .appendInt32(sessionEpoch)
    .appendInt32(maxWaitMs)
    .appendInt32(minBytes)
    .appendInt32(maxBytes)
    .appendInt32(maxRecords)
    .appendInt32(maxRecords);
  return appendTopics(writer, asked)
    .appendArray([], () => undefined)
    .appendTaggedFields();
}

function readPlace(reader: Reader, topicId: string): ShareFetched {
  const topicPartition = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readNullableString();
  const acknowledgeErrorCode = reader.readInt16();
  reader.readNullableString();
  reader.readInt32(); // leader
  reader.readInt32(); // its epoch
  reader.readTaggedFields();
  const records = Buffer.from(reader.readNullableBytes() ?? []);
  const acquired = reader.readArray((inner) => {
    const first = Number(inner.readInt64());
    const last = Number(inner.readInt64());
    inner.readInt16(); // how often it was delivered
    return { first, last };
  });
  return { topicId, topicPartition, errorCode, acknowledgeErrorCode, records, acquired };
}

function fetchResponse(_id: number, key: number, version: number, reader: Reader): ShareFetched[] {
  reader.readInt32(); // throttle time
  const errorCode = reader.readInt16();
  const message = reader.readNullableString();
  reader.readInt32(); // how long the records are ours
  const places: ShareFetched[] = [];
  reader.readArray((inner) => {
    const topicId = inner.readUUID();
    inner.readArray((deep) => places.push(readPlace(deep, topicId)));
  });
  check(key, version, errorCode, message, places);
  return places;
}

export const shareFetch: API<Parameters<typeof fetchRequest>, ShareFetched[]> = createAPI(
  78,
  1,
  fetchRequest,
  fetchResponse,
);

function acknowledgeRequest(
  groupId: string,
  memberId: string,
  sessionEpoch: number,
  asked: readonly ShareAsked[],
): Writer {
  const writer = Writer.create()
    .appendString(groupId)
    .appendString(memberId)
    .appendInt32(sessionEpoch);
  return appendTopics(writer, asked).appendTaggedFields();
}

function acknowledgeResponse(_id: number, key: number, version: number, reader: Reader): void {
  reader.readInt32(); // throttle time
  const errorCode = reader.readInt16();
  check(key, version, errorCode, reader.readNullableString(), {});
}

export const shareAcknowledge: API<Parameters<typeof acknowledgeRequest>, void> = createAPI(
  79,
  1,
  acknowledgeRequest,
  acknowledgeResponse,
);
