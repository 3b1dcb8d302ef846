import type { Problem } from '../base/problem.ts';
import type { FaultRequest } from './fault-request.ts';
import type { Effect, EndedBy, State } from './lifecycle.ts';
import type { Answer } from './query.ts';
import type { NodeName } from './topology.ts';

/** What was measured: the proof that a fault bit and healed. */
export interface Receipt {
  effect: Effect;
  /** Why untestable, or what was looked for. */
  says: string;
  before?: Answer;
  during?: Answer;
  after?: Answer;
  /** Between the fire instant and the last act read back, ms. */
  actMs?: number;
  /** Between the call for healing and the last undo read back, ms. */
  healMs?: number;
  /** What could not be promised here ('guard only', ...). */
  notes: string[];
}

/** An undo that keeps failing: shown in red, tried again with backoff. */
export interface OpenUndo {
  says: string;
  attempts: number;
  lastError: string;
}

/** Owner of the faults that were created on an agent directly, without a coordinator. */
export const LOCAL_OWNER = 'local';

/** A fault on one node, as its agent reports it: GET /v1/faults/{id} on the agent. */
export interface AgentFaultStatus {
  id: string;
  instance: number;
  owner: string;
  kind: string;
  node: NodeName;
  state: State;
  /** Hash of the canonical spec: the same id with another one is a conflict. */
  specHash: string;
  /** Node's CLOCK_BOOTTIME, ms: when it fired, when it ends at the latest, when its lease ends. */
  firedAtBootMs?: number;
  deadlineBootMs?: number;
  leaseEndsBootMs?: number;
  endedAtBootMs?: number;
  endedBy?: EndedBy;
  /** In words: what the plan does, step by step, with each undo. */
  plan: { says: string; undo: string }[];
  claims: string[];
  receipt: Receipt;
  problems: Problem[];
  error?: string;
  openUndos: OpenUndo[];
}

/** A node's part in a fault, as the coordinator shows it. */
export interface NodeFaultStatus {
  state: State;
  /** Wall clock by the coordinator's measure, RFC 3339. */
  firedAt?: string;
  endedAt?: string;
  endedBy?: EndedBy;
  receipt?: Receipt;
  /** The agent does not answer: since when, and when the fault ends by itself at the latest. */
  contact?: { lostSince: string; endsAtLatest: string | null };
  plan?: { says: string; undo: string }[];
  problems: Problem[];
  error?: string;
  openUndos: OpenUndo[];
}

/** A fault as the coordinator shows it: GET /v1/faults/{id}. */
export interface FaultStatus {
  id: string;
  kind: string;
  request: FaultRequest;
  state: State;
  effect: Effect;
  endedBy?: EndedBy;
  /** Occurrence shown here, from 1, and earlier ones in short. */
  instance: number;
  earlier: {
    instance: number;
    state: State;
    firedAt?: string;
    endedAt?: string;
    endedBy?: EndedBy;
  }[];
  run?: string;
  owner: string;
  /** The expression as written and what it named, at arming and at firing. */
  selector?: { expression: string; atArming: NodeName[]; atFiring?: NodeName[] };
  targets: NodeName[];
  actors: NodeName[];
  createdAt: string;
  armedAt?: string;
  firedAt?: string;
  endedAt?: string;
  /** Between the first and the last node's fire instant as measured, ms. */
  skewMs?: number;
  nextAt?: string;
  nodes: Record<NodeName, NodeFaultStatus>;
  problems: Problem[];
  override?: FaultRequest['override'];
}

/** A node as the coordinator sees it: GET /v1/nodes. */
export interface NodeStatus {
  name: NodeName;
  roles: string[];
  addresses: string[];
  agent: string | null;
  /** 'linked', 'unreachable', 'refused' (wrong name, cluster, version or token) or 'none'. */
  link: 'linked' | 'unreachable' | 'refused' | 'none';
  linkError?: string;
  since?: string;
  /** Node's clock minus coordinator's (CLOCK_BOOTTIME both), ms, and half the best round trip. */
  clock?: { offsetMs: number; uncertaintyMs: number };
  version?: string;
  capabilities: { need: string; met: boolean; why: string }[];
  faults: string[];
}

/** One line of GET /v1/events. */
export interface Event {
  /** Increasing; Last-Event-ID resumes after it. */
  id: number;
  /** RFC 3339. */
  at: string;
  /** 'fault.active', 'fault.healed', 'node.lost', 'run.phase', 'cluster.changed', ... */
  type: string;
  fault?: string;
  node?: string;
  run?: string;
  message: string;
  data?: unknown;
}
