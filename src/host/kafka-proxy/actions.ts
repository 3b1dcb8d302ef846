import { CodecError, Reader } from '../../core/codec/kafka/bytes.ts';
import { carriesCode, errorAnswer } from '../../core/codec/kafka/error-answer.ts';
import {
  knowsResponse,
  readResponse,
  writeResponse,
  type RequestHead,
} from '../../core/codec/kafka/frame.ts';
import { messageOf, within } from '../../core/codec/kafka/message.ts';
import { failTopics, topicNames, truncateFetch } from '../../core/codec/kafka/rewrite.ts';
import type { Struct } from '../../core/codec/kafka/value.ts';
import { matchesPattern, type Verdict } from '../../core/proxy/decide.ts';
import type { ReplyPlan } from './pending.ts';
import type { TopicNames } from './topic-names.ts';

const PRODUCE = 0;
const FETCH = 1;
const METADATA = 3;
const FETCH_SESSION_ID_NOT_FOUND = 70;
/** From here on Metadata has ids beside names (KIP-516). */
const METADATA_WITH_IDS = 10;

/** What a verdict comes to for one request. */
interface Plan {
  reply?: ReplyPlan;
  answer?: Uint8Array;
  twice?: boolean;
}

/**
 * Whether nobody answers this request: a Produce with acks=0.
 * @param start its beginning, or all of it.
 */
export function producesSilently(start: Uint8Array, head: RequestHead): boolean {
  if (head.apiKey !== PRODUCE || head.bodyAt === undefined) return false;
  try {
    const reader = new Reader(start, head.bodyAt);
    const message = messageOf(PRODUCE, 'request');
    const flexible = message !== undefined && within(message.flexible, head.version);
    const length = flexible ? reader.varint() - 1 : reader.i16();
    reader.raw(Math.max(0, length));
    return reader.i16() === 0;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    // A transactional id longer than what is here: transactions have acks=all.
    return false;
  }
}

/** Reads a response, lets it be changed and writes it anew; one that is not understood stays as it is. */
export function altering(
  change: (body: Struct, head: RequestHead) => void,
): (frame: Buffer, head: RequestHead) => Uint8Array | undefined {
  return (frame, head) => {
    try {
      const body = readResponse(frame, head);
      change(body, head);
      return writeResponse(head, body);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return undefined;
    }
  };
}

/** Learns names of topics from a Metadata response that passes by; its bytes stay as they are. */
export function learning(
  head: RequestHead,
  names: TopicNames,
): ((frame: Buffer, head: RequestHead) => undefined) | undefined {
  if (head.apiKey !== METADATA || head.version < METADATA_WITH_IDS || !knowsResponse(head)) {
    return undefined;
  }
  return (frame) => {
    try {
      names.learn(topicNames(readResponse(frame, head)));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      // Not understood: nothing is learned.
    }
    return undefined;
  };
}

function planError(
  code: number,
  verdict: Verdict,
  head: RequestHead,
  body: Struct | undefined,
): Plan {
  const { topic } = verdict;
  if (head.apiKey === METADATA) {
    // Only the topics fail: an answer of our own could name no brokers.
    const about = topic === undefined ? undefined : (name: string) => matchesPattern(topic, name);
    const alter = altering((metadata) => failTopics(metadata, code, about));
    return { reply: { do: 'alter', alter } };
  }
  let answer = body === undefined ? undefined : errorAnswer(head, body, code);
  const asked = answer?.['responses'];
  if (answer !== undefined && head.apiKey === FETCH && Array.isArray(asked) && asked.length === 0) {
    // A session that goes on names nothing: the client is made to ask for everything again.
    answer = { ...answer, errorCode: FETCH_SESSION_ID_NOT_FOUND };
    return { answer: writeResponse(head, answer) };
  }
  // Some responses have no room for an error: the request passes.
  if (answer === undefined || !carriesCode(answer, code)) return {};
  return { answer: writeResponse(head, answer) };
}

/** @returns 'disconnect': at once, before the broker sees the request. */
export function planFor(
  verdict: Verdict,
  head: RequestHead,
  body: Struct | undefined,
  silent: boolean,
): Plan | 'disconnect' {
  const { action } = verdict;
  switch (action.do) {
    case 'error':
      return silent ? {} : planError(action.code, verdict, head, body);
    case 'disconnect':
      if (action.when === 'before' || silent) return 'disconnect';
      return { reply: { do: 'disconnect' } };
    case 'duplicate':
      return { twice: true };
    case 'delayAfter':
      return { reply: { do: 'delay', ms: action.ms } };
    case 'loseReply':
      return { reply: { do: 'lose' } };
    case 'truncateFetch': {
      const { share } = action;
      return { reply: { do: 'alter', alter: altering((fetch) => truncateFetch(fetch, share)) } };
    }
    case 'hold':
    case 'delayBefore':
      return {};
  }
}
