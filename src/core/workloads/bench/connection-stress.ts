import { Type, type Static } from 'typebox';
import { bench, checkBootstrap, clientFields, PerSecond, Threads } from './bench.ts';

const { bootstrapServers, commonClientConf } = clientFields;

export const ConnectionStressFields = Type.Object(
  {
    clientNode: Type.Array(Type.String(), { maxItems: 1_000, default: [] }),
    bootstrapServers,
    commonClientConf,
    targetConnectionsPerSec: PerSecond,
    numThreads: Threads,
    action: Type.Enum(['CONNECT', 'FETCH_METADATA'], { default: 'CONNECT' }),
  },
  { additionalProperties: false },
);
export type ConnectionStressParams = Static<typeof ConnectionStressFields>;

export const connectionStress = bench({
  kind: 'connection-stress',
  summary: 'Opens connections, uses each once at most, and closes them.',
  fields: ConnectionStressFields,
  check: (params) => checkBootstrap(params.bootstrapServers),
});
