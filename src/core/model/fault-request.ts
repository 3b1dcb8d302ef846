import { Type, type Static } from 'typebox';
import { Duration } from '../base/duration.ts';
import { Id, Node, NodeName } from './topology.ts';

/** A selector expression, or plain node names. */
export const Targets = Type.Union(
  [
    Type.String({ minLength: 1, maxLength: 1024 }),
    Type.Array(NodeName, { minItems: 1, maxItems: 1000 }),
  ],
  {
    title: 'selector',
    description: "a selector ('leader(orders-0)', 'one of role(broker)') or a list of node names",
  },
);
export type Targets = Static<typeof Targets>;

/** A limit of the cluster that this fault may pass, and why. */
export const Override = Type.Object(
  {
    limits: Type.Array(Type.Enum(['nodes', 'roleShare', 'quorum', 'minInsyncReplicas']), {
      minItems: 1,
    }),
    reason: Type.String({ minLength: 3, maxLength: 500 }),
  },
  { additionalProperties: false },
);

const specFields = {
  id: Id,
  kind: Type.String({ minLength: 1, maxLength: 64 }),
  targets: Type.Optional(Targets),
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** How long it stands; required with lease 'none'; absent: until healed. */
  duration: Type.Optional(Duration),
  /** How long it stands without word from the coordinator; default 60 s. */
  lease: Type.Optional(Type.Union([Type.Enum(['none']), Duration])),
  reason: Type.Optional(Type.String({ maxLength: 500 })),
  override: Type.Optional(Override),
};

/** What a person or a program asks the coordinator for: POST /v1/faults. */
export const FaultRequest = Type.Object(
  {
    ...specFields,
    /** RFC 3339 instant of the first occurrence. */
    startAt: Type.Optional(Type.String({ format: 'date-time', maxLength: 40 })),
    /** Instead of startAt: this long from now. */
    after: Type.Optional(Duration),
    /** Again and again, this far apart from start to start; needs a shorter duration. */
    every: Type.Optional(Duration),
    /** The run it belongs to. */
    run: Type.Optional(Id),
  },
  { additionalProperties: false, $id: 'FaultRequest' },
);
export type FaultRequest = Static<typeof FaultRequest>;

/**
 * What the coordinator adds for an agent: who is meant, already resolved. Without it the agent
 * stands alone: its topology is itself, or what its configuration says.
 */
export const AgentContext = Type.Object(
  {
    /** Random id of the coordinator's state: nobody else's faults are touched. */
    owner: Type.String({ pattern: '^[a-z0-9-]{1,63}$' }),
    /** Which occurrence of the fault this is, from 1. */
    instance: Type.Integer({ minimum: 1 }),
    topology: Type.Object(
      { name: Type.String(), nodes: Type.Array(Node, { maxItems: 1000 }) },
      { additionalProperties: false },
    ),
    selected: Type.Array(NodeName, { maxItems: 1000 }),
    /** Addresses the coordinator's connections to this agent come from. */
    coordinatorAddresses: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 }),
    /** Arm only, and wait for POST /v1/faults/{id}/fire. */
    armOnly: Type.Boolean(),
    /** Needs of this kind that nodes do not meet: which backend acts where. */
    unmet: Type.Optional(Type.Record(NodeName, Type.Array(Type.String({ maxLength: 64 })))),
    /** Decimal text of the 64-bit seed the kind's own chance comes from. */
    seed: Type.String({ pattern: '^[0-9]{1,20}$' }),
  },
  { additionalProperties: false },
);
export type AgentContext = Static<typeof AgentContext>;

/** What an agent is told: POST /v1/faults on the agent. */
export const AgentFaultRequest = Type.Object(
  { ...specFields, context: Type.Optional(AgentContext) },
  { additionalProperties: false, $id: 'AgentFaultRequest' },
);
export type AgentFaultRequest = Static<typeof AgentFaultRequest>;

export const DEFAULT_LEASE_MS = 60_000;
/** The kernel's own timeout of what can expire by itself, and how often it is renewed. */
export const KERNEL_TIMEOUT_MS = 30_000;
export const KERNEL_REFRESH_MS = 5_000;
