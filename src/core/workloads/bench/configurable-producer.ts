import { Type, type Static } from 'typebox';
import type { Problem } from '../../base/problem.ts';
import { FlushSpec, ThroughputSpec } from '../pace-spec.ts';
import { checkPayload, PayloadSpec } from '../payload-spec.ts';
import { checkTopics, loadTopics } from '../topics-spec.ts';
import { TopicsSpec } from '../topics-schema.ts';
import { bench, checkBootstrap, clientFields, Conf } from './bench.ts';

export const ConfigurableProducerFields = Type.Object(
  {
    producerNode: Type.String({ default: '' }),
    ...clientFields,
    flushGenerator: Type.Optional(FlushSpec),
    throughputGenerator: ThroughputSpec,
    keyGenerator: PayloadSpec,
    valueGenerator: PayloadSpec,
    producerConf: Conf,
    activeTopic: TopicsSpec,
    activePartition: Type.Integer({ minimum: -1, default: 0 }),
  },
  { additionalProperties: false },
);
export type ConfigurableProducerParams = Static<typeof ConfigurableProducerFields>;

function check(params: ConfigurableProducerParams): Problem[] {
  const problems = [
    ...checkBootstrap(params.bootstrapServers),
    ...checkPayload(params.keyGenerator, '/keyGenerator'),
    ...checkPayload(params.valueGenerator, '/valueGenerator'),
    ...checkTopics(params.activeTopic, '/activeTopic'),
  ];
  const topics = loadTopics(params.activeTopic);
  const [topic, ...more] = topics.ok ? topics.value : [];
  if (topics.ok && (topic === undefined || more.length > 0))
    problems.push({
      path: '/activeTopic',
      message: 'exactly one topic',
      found: `${topics.value.length}`,
    });
  const { activePartition } = params;
  if (topic && activePartition >= 0 && !topic.topicPartitions.includes(activePartition)) {
    const message = `the topic '${topic.name}' has no such topic-partition`;
    problems.push({ path: '/activePartition', message, found: `${activePartition}` });
  }
  return problems;
}

export const configurableProducer = bench({
  kind: 'configurable-producer',
  summary: 'Writes records to one topic at a rate that may vary.',
  fields: ConfigurableProducerFields,
  check,
});
