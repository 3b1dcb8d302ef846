import { Failure } from '../../core/base/failure.ts';
import { sendError } from '../../core/workloads/errors.ts';
import { errorName } from './admin.ts';
import { AnswerError } from './broker-connection.ts';
import type { Attempt, ProducerSettings } from './outgoing.ts';
import type { ProduceResponse } from './produce-request.ts';

/** Where a batch was to be written. */
interface At {
  topic: string;
  topicPartition: number;
}

/** What an attempt came to, by the broker's answer; undefined: it sent none, as with acks=0. */
export function attemptOf(
  answer: ProduceResponse | undefined,
  acks: ProducerSettings['acks'],
  { topic, topicPartition }: At,
): Attempt {
  if (acks === '0') return { outcome: 'info', offset: -1, error: 'no-acknowledgement' };
  const state = answer?.responses
    .find(({ name }) => name === topic)
    ?.partitionResponses.find(({ index }) => index === topicPartition);
  if (state === undefined) return { outcome: 'info', offset: -1, error: 'no-answer-for-batch' };
  if (state.errorCode === 0) return { outcome: 'ok', offset: Number(state.baseOffset) };
  const error = errorName(state.errorCode);
  const row = sendError(error);
  const offset = row.outcome === 'ok' ? Number(state.baseOffset) : -1;
  return { outcome: row.outcome, offset, error };
}

/** What an attempt came to whose request failed. @throws what is no Failure: a bug of ours. */
export function failedAttemptOf(error: unknown, acks: ProducerSettings['acks'], at: At): Attempt {
  if (!(error instanceof Failure)) throw error;
  if (error instanceof AnswerError) return attemptOf(error.response as ProduceResponse, acks, at);
  return { outcome: sendError(error.code).outcome, offset: -1, error: error.code };
}
