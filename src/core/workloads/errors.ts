/**
 * What an error of a produce request says about whether the batch was written. One row an error, one
 * reason a row. `fail`: this attempt certainly wrote nothing; `info`: nobody knows; `ok`: written
 * (by an earlier attempt). Names are those of Kafka's protocol errors, or our own (lower case).
 */
export interface ErrorRow {
  outcome: 'fail' | 'info' | 'ok';
  /** May another attempt succeed? */
  retry: boolean;
  /** Leadership may have moved: ask for metadata. */
  refresh?: boolean;
  /** The producer id, epoch or sequences are no longer of use: begin anew with another id. */
  renew?: boolean;
  reason: string;
}

export const SEND_ERRORS: Readonly<Record<string, ErrorRow>> = {
  'expired-in-queue': {
    outcome: 'fail',
    retry: false,
    reason: 'the delivery timeout passed before any request held it',
  },
  'not-connected': {
    outcome: 'fail',
    retry: true,
    refresh: true,
    reason: 'no connection was made, so no byte was sent',
  },
  'connection-lost': {
    outcome: 'info',
    retry: true,
    refresh: true,
    reason: 'the request may have arrived before the connection ended',
  },
  'request-timed-out': {
    outcome: 'info',
    retry: true,
    refresh: true,
    reason: 'a slow broker may still write it',
  },
  'no-acknowledgement': {
    outcome: 'info',
    retry: false,
    reason: 'acks=0 asks for no answer, so none says that it was written',
  },
  'no-answer-for-batch': {
    outcome: 'info',
    retry: true,
    refresh: true,
    reason: 'the answer did not speak of the topic-partition that was asked for',
  },
  DUPLICATE_SEQUENCE_NUMBER: {
    outcome: 'ok',
    retry: false,
    reason: 'the broker holds this sequence already: an earlier attempt wrote it',
  },
  NOT_LEADER_OR_FOLLOWER: {
    outcome: 'info',
    retry: true,
    refresh: true,
    reason: 'KAFKA-13574: also answered when leadership is lost while replicas are awaited',
  },
  NOT_ENOUGH_REPLICAS: {
    outcome: 'fail',
    retry: true,
    refresh: true,
    reason: 'checked before the append (ReplicaManager), nothing is written',
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    outcome: 'info',
    retry: true,
    refresh: true,
    reason: 'written on the leader, the ISR shrank while it was replicated',
  },
  REQUEST_TIMED_OUT: {
    outcome: 'info',
    retry: true,
    refresh: true,
    reason: 'written on the leader, replicas did not confirm in time',
  },
  UNKNOWN_TOPIC_OR_PARTITION: {
    outcome: 'fail',
    retry: true,
    refresh: true,
    reason: 'the broker does not host the topic-partition, there is no log to append to',
  },
  LEADER_NOT_AVAILABLE: {
    outcome: 'fail',
    retry: true,
    refresh: true,
    reason: 'there is no leader to append',
  },
  FENCED_LEADER_EPOCH: {
    outcome: 'fail',
    retry: true,
    refresh: true,
    reason: 'refused before the append because the epoch is old',
  },
  KAFKA_STORAGE_ERROR: {
    outcome: 'info',
    retry: true,
    refresh: true,
    reason: 'the disk failed at some moment of the append',
  },
  CORRUPT_MESSAGE: {
    outcome: 'fail',
    retry: true,
    reason: 'validated before the append, the CRC did not match',
  },
  INVALID_RECORD: { outcome: 'fail', retry: false, reason: 'validated before the append' },
  MESSAGE_TOO_LARGE: { outcome: 'fail', retry: false, reason: 'validated before the append' },
  RECORD_LIST_TOO_LARGE: { outcome: 'fail', retry: false, reason: 'validated before the append' },
  INVALID_TIMESTAMP: { outcome: 'fail', retry: false, reason: 'validated before the append' },
  INVALID_REQUIRED_ACKS: { outcome: 'fail', retry: false, reason: 'the request itself is refused' },
  UNSUPPORTED_VERSION: { outcome: 'fail', retry: false, reason: 'the request itself is refused' },
  INVALID_REQUEST: { outcome: 'fail', retry: false, reason: 'the request itself is refused' },
  TOPIC_AUTHORIZATION_FAILED: {
    outcome: 'fail',
    retry: false,
    reason: 'authorized before the append',
  },
  CLUSTER_AUTHORIZATION_FAILED: {
    outcome: 'fail',
    retry: false,
    reason: 'authorized before the append',
  },
  THROTTLING_QUOTA_EXCEEDED: { outcome: 'fail', retry: true, reason: 'refused before the append' },
  OUT_OF_ORDER_SEQUENCE_NUMBER: {
    outcome: 'fail',
    retry: true,
    reason: 'the sequence does not follow the last one the broker holds: refused, not appended',
  },
  UNKNOWN_PRODUCER_ID: {
    outcome: 'fail',
    retry: true,
    renew: true,
    reason: 'the broker has forgotten this producer id: refused, not appended',
  },
  INVALID_PRODUCER_EPOCH: {
    outcome: 'fail',
    retry: true,
    renew: true,
    reason: 'the epoch is old: refused, not appended',
  },
  PRODUCER_FENCED: {
    outcome: 'fail',
    retry: false,
    renew: true,
    reason: 'another producer took the id: refused, not appended',
  },
  UNKNOWN_SERVER_ERROR: {
    outcome: 'info',
    retry: true,
    refresh: true,
    reason: 'an exception at an unknown place of the append',
  },
};

/** The row of an error; errors without one are `info`: nobody knows is always true. */
export function sendError(name: string): ErrorRow {
  const unknown: ErrorRow = {
    outcome: 'info',
    retry: true,
    refresh: true,
    reason: 'not in the table, so nothing is known of it',
  };
  return SEND_ERRORS[name] ?? unknown;
}
