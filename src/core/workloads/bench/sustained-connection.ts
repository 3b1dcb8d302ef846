import { Type, type Static } from 'typebox';
import type { Problem } from '../../base/problem.ts';
import { checkPayload, PayloadSpec } from '../payload-spec.ts';
import { bench, checkBootstrap, clientFields, Conf, Threads } from './bench.ts';

const Connections = Type.Integer({ minimum: 0, maximum: 10_000, default: 0 });

export const SustainedConnectionFields = Type.Object(
  {
    clientNode: Type.String({ default: '' }),
    ...clientFields,
    producerConf: Conf,
    consumerConf: Conf,
    keyGenerator: Type.Optional(PayloadSpec),
    valueGenerator: Type.Optional(PayloadSpec),
    producerConnectionCount: Connections,
    consumerConnectionCount: Connections,
    metadataConnectionCount: Connections,
    topicName: Type.String({ maxLength: 249, default: '' }),
    numThreads: Threads,
    refreshRateMs: Type.Integer({ maximum: 3_600_000, default: 1 }),
  },
  { additionalProperties: false },
);
export type SustainedConnectionParams = Static<typeof SustainedConnectionFields>;

function check(params: SustainedConnectionParams): Problem[] {
  const problems = [
    ...checkBootstrap(params.bootstrapServers),
    ...checkPayload(params.keyGenerator, '/keyGenerator'),
    ...checkPayload(params.valueGenerator, '/valueGenerator'),
  ];
  const { producerConnectionCount, consumerConnectionCount, metadataConnectionCount } = params;
  const usesTopic = producerConnectionCount + consumerConnectionCount > 0;
  if (usesTopic && !/^[a-zA-Z0-9._-]{1,249}$/.test(params.topicName))
    problems.push({ path: '/topicName', message: 'no name of a topic', found: params.topicName });
  if (producerConnectionCount > 0 && params.valueGenerator === undefined)
    problems.push({ path: '/valueGenerator', message: "'valueGenerator' is missing" });
  if (!usesTopic && metadataConnectionCount === 0)
    problems.push({ path: '', message: 'there is no connection to hold: all counts are 0' });
  return problems;
}

export const sustainedConnection = bench({
  kind: 'sustained-connection',
  summary: 'Holds connections of producers, readers and admin clients, and uses each now and then.',
  fields: SustainedConnectionFields,
  check,
});
