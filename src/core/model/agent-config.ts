import { Type, type Static } from 'typebox';
import { ProcessMatch } from './process-match.ts';

/** How a service of a node is found and started; the only place where commands may stand. */
export const Service = Type.Object(
  {
    match: ProcessMatch,
    start: Type.Optional(
      Type.Union([
        Type.Object(
          { argv: Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 64 }) },
          { additionalProperties: false },
        ),
        Type.Object(
          { systemdUnit: Type.String({ pattern: '^[A-Za-z0-9@._-]+$' }) },
          { additionalProperties: false },
        ),
      ]),
    ),
  },
  { additionalProperties: false },
);
export type Service = Static<typeof Service>;

/** The agent's own configuration file (YAML or JSON, --config). */
export const AgentConfig = Type.Object(
  {
    services: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }), Service),
    ),
    /** Longest duration or lease this node accepts; default 24 h. */
    maxDuration: Type.Optional(Type.String()),
    /** Programs that ExternalCommand of Trogdor's protocol may run here, by their path; default none. */
    externalCommands: Type.Optional(
      Type.Union(
        [
          Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { maxItems: 1_000 }),
          Type.Literal('any'),
        ],
        { title: 'list of programs', description: "paths, or 'any'" },
      ),
    ),
  },
  { additionalProperties: false },
);
export type AgentConfig = Static<typeof AgentConfig>;

/** Known on every node, unless its configuration says otherwise. */
export const DEFAULT_SERVICES: Readonly<Record<string, Service>> = {
  broker: { match: { mainClass: 'kafka.Kafka' } },
  zookeeper: { match: { mainClass: 'org.apache.zookeeper.server.quorum.QuorumPeerMain' } },
};
