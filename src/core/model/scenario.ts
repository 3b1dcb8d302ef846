import { Type, type Static } from 'typebox';
import { Duration } from '../base/duration.ts';
import { Ratio } from '../base/ratio.ts';
import { Targets, Override } from './fault-request.ts';
import { LabRequest } from './lab-layout.ts';
import { Id } from './topology.ts';

/** Which kinds a seed may draw, and how. */
export const DrawnKind = Type.Object(
  {
    kind: Type.String({ minLength: 1, maxLength: 64 }),
    /** Share among the kinds; default 1. */
    weight: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
    /** In place of what the kind's own draw would choose. */
    targets: Type.Optional(Targets),
    /** Parameters that replace drawn ones. */
    params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    duration: Type.Optional(
      Type.Object({ min: Duration, max: Duration }, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false },
);
export type DrawnKind = Static<typeof DrawnKind>;

/** Faults over time from a seed. */
export const DrawnSchedule = Type.Object(
  {
    kinds: Type.Array(DrawnKind, { minItems: 1, maxItems: 64 }),
    /** Mean time from one fault's start to the next one's. */
    every: Duration,
    /**
     * How the starts are spread: 'triangular' (default: between 0 and twice `every`, mostly near it),
     * 'geometric' (no memory: bursts and long calms, as in life) or 'regular' (exactly `every`).
     */
    arrivals: Type.Optional(Type.Enum(['triangular', 'geometric', 'regular'])),
    /** How long each stands, drawn between these. */
    duration: Type.Object({ min: Duration, max: Duration }, { additionalProperties: false }),
    /** At most this many at once; default 1. */
    concurrent: Type.Optional(Type.Integer({ minimum: 1, maximum: 16 })),
    /** Quiet at the start and end, and in between with this probability in place of a fault. */
    quiet: Type.Optional(
      Type.Object(
        {
          start: Type.Optional(Duration),
          end: Type.Optional(Duration),
          share: Type.Optional(Ratio),
        },
        { additionalProperties: false },
      ),
    ),
    /** Some kinds off for a whole run (swarm testing, Groce ISSTA'12); default true. */
    swarm: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type DrawnSchedule = Static<typeof DrawnSchedule>;

/** One fault at a fixed time. */
export const PlannedFault = Type.Object(
  {
    id: Type.Optional(Id),
    at: Duration,
    kind: Type.String({ minLength: 1, maxLength: 64 }),
    targets: Type.Optional(Targets),
    params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    duration: Type.Optional(Duration),
    every: Type.Optional(Duration),
    override: Type.Optional(Override),
  },
  { additionalProperties: false },
);
export type PlannedFault = Static<typeof PlannedFault>;

export const Limits = Type.Object(
  {
    /** Most nodes harmed at once. */
    nodes: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Largest share of one role harmed at once, as a ratio ('1/2'). */
    roleShare: Type.Optional(Ratio),
    /** Keep a majority of the controllers; default true. */
    keepQuorum: Type.Optional(Type.Boolean()),
    /** Keep min.insync.replicas of every watched topic-partition; default false. */
    keepMinInsyncReplicas: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type Limits = Static<typeof Limits>;

/** The document a person writes: YAML or JSON. */
export const Scenario = Type.Object(
  {
    /** Version of this format. */
    faultline: Type.Integer({ minimum: 1, maximum: 1 }),
    name: Id,
    description: Type.Optional(Type.String({ maxLength: 4000 })),
    /** Path to a cluster.yaml, or the lab to bring up. */
    cluster: Type.Optional(
      Type.Object(
        {
          file: Type.Optional(Type.String({ maxLength: 4096 })),
          lab: Type.Optional(LabRequest),
        },
        { additionalProperties: false },
      ),
    ),
    workload: Type.Optional(
      Type.Object(
        {
          kind: Type.String({ minLength: 1, maxLength: 64 }),
          /** Selector of the node that runs it; default one of role(client). */
          on: Type.Optional(Targets),
          params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        },
        { additionalProperties: false },
      ),
    ),
    /** How long faults and load last. */
    duration: Duration,
    /** Before the first fault: the workload must succeed for this long; default 5 s. */
    steadyState: Type.Optional(Duration),
    /** After healing: how long the cluster has to recover; default 60 s. */
    recovery: Type.Optional(Duration),
    faults: Type.Optional(Type.Array(PlannedFault, { maxItems: 1000 })),
    draw: Type.Optional(DrawnSchedule),
    limits: Type.Optional(Limits),
    /** Checkers that must find nothing; default: all of the workload. */
    checks: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 })),
    /** The verdict it must get, for scenarios that ship. */
    expect: Type.Optional(Type.Enum(['valid', 'invalid'])),
  },
  { additionalProperties: false, $id: 'Scenario' },
);
export type Scenario = Static<typeof Scenario>;

/** One entry of a drawn schedule; times count from the start of the fault phase. */
export interface ScheduledFault {
  id: string;
  atMs: number;
  kind: string;
  /** Names where the selector could be resolved without the cluster, otherwise the selector. */
  targets?: string | string[];
  /** The selector the names came from. */
  selector?: string;
  params: Record<string, unknown>;
  /** Absent where the kind does not stand. */
  durationMs?: number;
  override?: { limits: string[]; reason: string };
}

/** Same version of the drawing, same scenario, same seed: the same bytes (canonical JSON). */
export interface Schedule {
  version: string;
  scenario: string;
  /** Decimal text of a 64-bit seed. */
  seed: string;
  durationMs: number;
  /** Kinds the swarm left on for this run. */
  kinds: string[];
  faults: ScheduledFault[];
}
