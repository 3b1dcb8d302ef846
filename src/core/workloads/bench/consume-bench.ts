import { Type, type Static } from 'typebox';
import { under, type Problem } from '../../base/problem.ts';
import { readTopics } from '../topics-spec.ts';
import {
  bench,
  checkBootstrap,
  clientFields,
  Conf,
  MaxMessages,
  PerSecond,
  Threads,
} from './bench.ts';

/** What is worked out of the records that were read: how old those are that begin with the time. */
export const RecordProcessorSpec = Type.Union(
  [
    Type.Object(
      {
        type: Type.Literal('timestamp'),
        histogramMaxMs: Type.Integer({ default: 0 }),
        histogramMinMs: Type.Integer({ default: 0 }),
        histogramStepMs: Type.Integer({ default: 0 }),
      },
      { additionalProperties: false },
    ),
  ],
  { title: 'processor of records', description: "with the 'type' timestamp" },
);
export type RecordProcessorSpec = Static<typeof RecordProcessorSpec>;

export const readerFields = {
  consumerNode: Type.String({ default: '' }),
  ...clientFields,
  targetMessagesPerSec: PerSecond,
  maxMessages: MaxMessages,
  consumerConf: Conf,
  threadsPerWorker: Threads,
  recordProcessor: Type.Optional(RecordProcessorSpec),
  activeTopics: Type.Array(Type.String(), { maxItems: 10_000, default: [] }),
};

export const ConsumeBenchFields = Type.Object(
  { ...readerFields, consumerGroup: Type.String({ maxLength: 1_000, default: '' }) },
  { additionalProperties: false },
);
export type ConsumeBenchParams = Static<typeof ConsumeBenchFields>;

type ReaderParams = Omit<ConsumeBenchParams, 'consumerGroup'>;

/** What all readers of topics have in common. */
export function checkReader(params: ReaderParams): Problem[] {
  const problems = checkBootstrap(params.bootstrapServers);
  const read = readTopics(params.activeTopics);
  if (!read.ok) problems.push(...under('/activeTopics', read.problems));
  if (params.activeTopics.length === 0)
    problems.push({ path: '/activeTopics', message: 'there is no topic to read' });
  if (params.threadsPerWorker < 1)
    problems.push({ path: '/threadsPerWorker', message: 'at least 1' });
  const { recordProcessor } = params;
  if (recordProcessor && recordProcessor.histogramStepMs < 1)
    problems.push({ path: '/recordProcessor/histogramStepMs', message: 'at least 1' });
  return problems;
}

export const consumeBench = bench({
  kind: 'consume-bench',
  summary: 'Reads topics or topic-partitions, alone or as a consumer group.',
  fields: ConsumeBenchFields,
  check: checkReader,
});
