import { Type, type Static } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { FaultRequest, Override } from './fault-request.ts';
import { ENDED_BY, STATES, type Effect, type EndedBy, type State } from './lifecycle.ts';
import type { Answer } from './query.ts';
import { Listener, NodeName } from './topology.ts';

const StateSchema = Type.Unsafe<State>(Type.Enum([...STATES]));
const EndedBySchema = Type.Unsafe<EndedBy>(Type.Enum([...ENDED_BY]));
const EffectSchema = Type.Unsafe<Effect>(Type.Enum(['seen', 'unseen', 'untestable', 'pending']));
const AnswerSchema = Type.Unsafe<Answer>({
  type: 'object',
  description: 'what the node was asked, answered',
});
const Instant = Type.String({ format: 'date-time', description: 'RFC 3339' });
const Problems = Type.Array(
  Type.Unsafe<Problem>(
    Type.Object({
      path: Type.String(),
      message: Type.String(),
      found: Type.Optional(Type.String()),
      expected: Type.Optional(Type.String()),
      nearMiss: Type.Optional(Type.String()),
    }),
  ),
);

/** What was measured: the proof that a fault bit and healed. */
export const Receipt = Type.Object({
  effect: EffectSchema,
  /** Why untestable, or what was looked for. */
  says: Type.String(),
  /** Which of a kind's backends ran: 'nfqueue', 'nft', 'iptables' */
  backend: Type.Optional(Type.String()),
  before: Type.Optional(AnswerSchema),
  during: Type.Optional(AnswerSchema),
  after: Type.Optional(AnswerSchema),
  /** Between the fire instant and the last act read back, ms. */
  actMs: Type.Optional(Type.Number()),
  /** Between the call for healing and the last undo read back, ms. */
  healMs: Type.Optional(Type.Number()),
  /** What could not be promised here ('guard only', ...). */
  notes: Type.Array(Type.String()),
});
export type Receipt = Static<typeof Receipt>;

/** An undo that keeps failing: shown in red, tried again with backoff. */
export const OpenUndo = Type.Object({
  says: Type.String(),
  attempts: Type.Integer(),
  lastError: Type.String(),
});
export type OpenUndo = Static<typeof OpenUndo>;

/** Owner of the faults that were created on an agent directly, without a coordinator. */
export const LOCAL_OWNER = 'local';

const PlanInWords = Type.Array(Type.Object({ says: Type.String(), undo: Type.String() }));

/** A fault on one node, as its agent reports it: GET /v1/faults/{id} on the agent. */
export const AgentFaultStatus = Type.Object(
  {
    id: Type.String(),
    instance: Type.Integer(),
    owner: Type.String(),
    kind: Type.String(),
    node: NodeName,
    state: StateSchema,
    /** Hash of the canonical spec: the same id with another one is a conflict. */
    specHash: Type.String(),
    /** Node's CLOCK_BOOTTIME, ms: when it fired, when it ends at the latest, when its lease ends. */
    firedAtBootMs: Type.Optional(Type.Number()),
    deadlineBootMs: Type.Optional(Type.Number()),
    leaseEndsBootMs: Type.Optional(Type.Number()),
    endedAtBootMs: Type.Optional(Type.Number()),
    endedBy: Type.Optional(EndedBySchema),
    /** In words: what the plan does, step by step, with each undo. */
    plan: PlanInWords,
    claims: Type.Array(Type.String()),
    receipt: Receipt,
    problems: Problems,
    error: Type.Optional(Type.String()),
    openUndos: Type.Array(OpenUndo),
  },
  { $id: 'AgentFaultStatus' },
);
export type AgentFaultStatus = Static<typeof AgentFaultStatus>;

/** A node's part in a fault, as the coordinator shows it. */
export const NodeFaultStatus = Type.Object({
  state: StateSchema,
  /** Wall clock by the coordinator's measure. */
  firedAt: Type.Optional(Instant),
  endedAt: Type.Optional(Instant),
  endedBy: Type.Optional(EndedBySchema),
  receipt: Type.Optional(Receipt),
  /** The agent does not answer: since when, and when the fault ends by itself at the latest. */
  contact: Type.Optional(
    Type.Object({ lostSince: Instant, endsAtLatest: Type.Union([Instant, Type.Null()]) }),
  ),
  plan: Type.Optional(PlanInWords),
  problems: Problems,
  error: Type.Optional(Type.String()),
  openUndos: Type.Array(OpenUndo),
});
export type NodeFaultStatus = Static<typeof NodeFaultStatus>;

/** An earlier occurrence of a repeated fault, in short. */
const EarlierOccurrence = Type.Object({
  instance: Type.Integer(),
  state: StateSchema,
  firedAt: Type.Optional(Instant),
  endedAt: Type.Optional(Instant),
  endedBy: Type.Optional(EndedBySchema),
});

/** A fault as the coordinator shows it: GET /v1/faults/{id}. */
export const FaultStatus = Type.Object(
  {
    id: Type.String(),
    kind: Type.String(),
    request: FaultRequest,
    state: StateSchema,
    effect: EffectSchema,
    endedBy: Type.Optional(EndedBySchema),
    /** Occurrence shown here, from 1, and earlier ones in short. */
    instance: Type.Integer(),
    earlier: Type.Array(EarlierOccurrence),
    run: Type.Optional(Type.String()),
    owner: Type.String(),
    /** The expression as written and what it named, at arming and at firing. */
    selector: Type.Optional(
      Type.Object({
        expression: Type.String(),
        atArming: Type.Array(NodeName),
        atFiring: Type.Optional(Type.Array(NodeName)),
      }),
    ),
    targets: Type.Array(NodeName),
    actors: Type.Array(NodeName),
    createdAt: Instant,
    armedAt: Type.Optional(Instant),
    firedAt: Type.Optional(Instant),
    endedAt: Type.Optional(Instant),
    /** Between the first and the last node's fire instant as measured, ms. */
    skewMs: Type.Optional(Type.Number()),
    nextAt: Type.Optional(Instant),
    nodes: Type.Record(Type.String(), NodeFaultStatus),
    problems: Problems,
    override: Type.Optional(Override),
  },
  { $id: 'FaultStatus' },
);
export type FaultStatus = Static<typeof FaultStatus>;

/** A node as the coordinator sees it: GET /v1/nodes. */
export const NodeStatus = Type.Object(
  {
    name: NodeName,
    roles: Type.Array(Type.String()),
    addresses: Type.Array(Type.String()),
    agent: Type.Union([Type.String(), Type.Null()]),
    /** Of cluster.yaml, or of its Kafka's own configuration; absent where neither tells. */
    listeners: Type.Optional(Type.Array(Listener)),
    /** 'linked', 'unreachable', 'refused' (wrong name, cluster, version or token) or 'none'. */
    link: Type.Enum(['linked', 'unreachable', 'refused', 'none']),
    linkError: Type.Optional(Type.String()),
    since: Type.Optional(Instant),
    /** Node's clock minus coordinator's (CLOCK_BOOTTIME both), ms, and half the best round trip. */
    clock: Type.Optional(Type.Object({ offsetMs: Type.Number(), uncertaintyMs: Type.Number() })),
    version: Type.Optional(Type.String()),
    capabilities: Type.Array(
      Type.Object({ need: Type.String(), met: Type.Boolean(), why: Type.String() }),
    ),
    faults: Type.Array(Type.String()),
  },
  { $id: 'NodeStatus' },
);
export type NodeStatus = Static<typeof NodeStatus>;

/** One line of GET /v1/events. */
export const Event = Type.Object(
  {
    /** Increasing; Last-Event-ID resumes after it. */
    id: Type.Integer(),
    at: Instant,
    /** 'fault.active', 'fault.healed', 'node.lost', 'run.phase', 'cluster.changed', ... */
    type: Type.String(),
    fault: Type.Optional(Type.String()),
    node: Type.Optional(Type.String()),
    run: Type.Optional(Type.String()),
    message: Type.String(),
    data: Type.Optional(Type.Unknown()),
  },
  { $id: 'Event' },
);
export type Event = Static<typeof Event>;
