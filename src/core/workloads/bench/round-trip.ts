import { Type, type Static } from 'typebox';
import type { Problem } from '../../base/problem.ts';
import { checkPayload, PayloadSpec } from '../payload-spec.ts';
import { checkTopics } from '../topics-spec.ts';
import { TopicsSpec } from '../topics-schema.ts';
import { bench, checkBootstrap, clientFields, Conf, MaxMessages, PerSecond } from './bench.ts';

/** Every index that is still on its way has a place in memory. */
const MESSAGES_MAX = 100_000_000;

export const RoundTripFields = Type.Object(
  {
    clientNode: Type.String({ default: '' }),
    ...clientFields,
    producerConf: Conf,
    consumerConf: Conf,
    targetMessagesPerSec: PerSecond,
    valueGenerator: Type.Union(PayloadSpec.anyOf, {
      ...PayloadSpec,
      default: { type: 'uniformRandom', size: 32, seed: 123, padding: 10 },
    }),
    activeTopics: TopicsSpec,
    maxMessages: MaxMessages,
  },
  { additionalProperties: false },
);
export type RoundTripParams = Static<typeof RoundTripFields>;

function check(params: RoundTripParams): Problem[] {
  const problems = [
    ...checkBootstrap(params.bootstrapServers),
    ...checkPayload(params.valueGenerator, '/valueGenerator'),
    ...checkTopics(params.activeTopics, '/activeTopics'),
  ];
  if (Object.keys(params.activeTopics).length === 0)
    problems.push({ path: '/activeTopics', message: 'there is no topic to write to' });
  if (params.targetMessagesPerSec < 1)
    problems.push({ path: '/targetMessagesPerSec', message: 'at least 1' });
  if (params.maxMessages < 1 || params.maxMessages > MESSAGES_MAX)
    problems.push({ path: '/maxMessages', message: `1 to ${MESSAGES_MAX}` });
  return problems;
}

export const roundTrip = bench({
  kind: 'round-trip',
  summary: 'Writes records, and reads until every one of them has come back.',
  fields: RoundTripFields,
  check,
});

export const shareRoundTrip = bench({
  kind: 'share-round-trip',
  summary: 'The same, read by a member of a share group (Kafka 4.1 and later).',
  fields: RoundTripFields,
  check,
});
