import { Type, type Static } from 'typebox';
import type { Problem } from '../../base/problem.ts';
import { TransactionSpec } from '../pace-spec.ts';
import { checkPayload, PayloadSpec } from '../payload-spec.ts';
import { checkTopics } from '../topics-spec.ts';
import { TopicsSpec } from '../topics-schema.ts';
import { bench, checkBootstrap, clientFields, Conf, MaxMessages, PerSecond } from './bench.ts';

const ZEROS = { type: 'constant', size: 512, value: `${'A'.repeat(683)}=` };

export const ProduceBenchFields = Type.Object(
  {
    producerNode: Type.String({ default: '' }),
    ...clientFields,
    targetMessagesPerSec: PerSecond,
    maxMessages: MaxMessages,
    keyGenerator: Type.Union(PayloadSpec.anyOf, {
      ...PayloadSpec,
      default: { type: 'sequential', size: 4, startOffset: 0 },
    }),
    valueGenerator: Type.Union(PayloadSpec.anyOf, { ...PayloadSpec, default: ZEROS }),
    transactionGenerator: Type.Optional(TransactionSpec),
    producerConf: Conf,
    activeTopics: TopicsSpec,
    inactiveTopics: TopicsSpec,
    useConfiguredPartitioner: Type.Boolean({ default: false }),
    skipFlush: Type.Boolean({ default: false }),
  },
  { additionalProperties: false },
);
export type ProduceBenchParams = Static<typeof ProduceBenchFields>;

function check(params: ProduceBenchParams): Problem[] {
  const problems = [
    ...checkBootstrap(params.bootstrapServers),
    ...checkPayload(params.keyGenerator, '/keyGenerator'),
    ...checkPayload(params.valueGenerator, '/valueGenerator'),
    ...checkTopics(params.activeTopics, '/activeTopics'),
    ...checkTopics(params.inactiveTopics, '/inactiveTopics'),
  ];
  if (Object.keys(params.activeTopics).length === 0)
    problems.push({ path: '/activeTopics', message: 'there is no topic to write to' });
  return problems;
}

export const produceBench = bench({
  kind: 'produce-bench',
  summary: 'Writes records to topics, as fast as it may.',
  fields: ProduceBenchFields,
  check,
});
