import { Type, type Static } from 'typebox';

const strict = { additionalProperties: false };

const PartitionsSpec = Type.Object(
  {
    numPartitions: Type.Integer({ maximum: 10_000, default: 0 }),
    replicationFactor: Type.Integer({ maximum: 100, default: 0 }),
    partitionAssignments: Type.Record(Type.String(), Type.Array(Type.Integer({ minimum: 0 })), {
      default: {},
    }),
    configs: Type.Record(Type.String(), Type.String(), { default: {} }),
  },
  strict,
);

/** Topics by name, or by pattern ('orders[1-3]'), each with how it shall be. */
export const TopicsSpec = Type.Record(Type.String(), PartitionsSpec, { default: {} });
export type TopicsSpec = Static<typeof TopicsSpec>;
