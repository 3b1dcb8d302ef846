import { Type, type Static } from 'typebox';
import type { Problem } from '../../base/problem.ts';
import { readTopics } from '../topics-spec.ts';
import { bench } from './bench.ts';
import { checkReader, readerFields } from './consume-bench.ts';

export const ShareConsumeBenchFields = Type.Object(
  { ...readerFields, shareGroup: Type.String({ maxLength: 1_000, default: 'share' }) },
  { additionalProperties: false },
);
export type ShareConsumeBenchParams = Static<typeof ShareConsumeBenchFields>;

function check(params: ShareConsumeBenchParams): Problem[] {
  const problems = checkReader(params);
  const read = readTopics(params.activeTopics);
  if (read.ok && read.value.topicPartitions.length > 0)
    problems.push({ path: '/activeTopics', message: 'a share group reads topics as a whole' });
  if (params.shareGroup === '')
    problems.push({ path: '/shareGroup', message: 'the name of the group is missing' });
  return problems;
}

export const shareConsumeBench = bench({
  kind: 'share-consume-bench',
  summary: 'Reads topics as members of a share group (Kafka 4.1 and later).',
  fields: ShareConsumeBenchFields,
  check,
});
