import type { Problem } from '../base/problem.ts';
import type { Act } from '../model/act.ts';
import type { Capability, Claim, FaultKind, Here, Step, Witness } from '../model/fault.ts';
import type { OpenUndo, Receipt } from '../model/fault-status.ts';
import type { Query } from '../model/query.ts';
import type { EndedBy, State } from '../model/lifecycle.ts';
import type { Node } from '../model/topology.ts';

/** What this node accepts: everything is bounded. */
export interface Limits {
  /** Faults that have not ended, at once. */
  faults: number;
  /** Ended ones that are remembered until the coordinator has recorded them. */
  tombstones: number;
  durationMs: number;
}

export const DEFAULT_LIMITS: Limits = { faults: 64, tombstones: 512, durationMs: 86_400_000 };

/** An armed fault nobody fires is given up after this long, whatever its lease says. */
export const ARMED_MAX_MS = 60_000;
/** A fire message this late finds the instant gone: the occurrence is missed. */
export const FIRE_LATE_MAX_MS = 1_000;
/** A question before healing may not hold the healing up for longer. */
export const LAST_LOOK_MS = 250;
export const LOOK_EVERY_MS = 100;
export const RETRY_FIRST_MS = 500;
export const RETRY_MAX_MS = 30_000;
/** How long undoing may take before the guard believes the agent hangs; a subprocess has 10 s. */
export const HEALING_GRACE_MS = 15_000;
/** Owner of what is asked for without a coordinator. */
export const LOCAL_OWNER = 'local';

/** The one effect of a fault that is under way; its answer carries the serial. */
export interface Doing {
  what:
    | 'observe'
    | 'before'
    | 'journal'
    | 'act'
    | 'refresh'
    | 'verify'
    | 'look'
    | 'lastLook'
    | 'undo'
    | 'after';
  serial: number;
  /** Index of the step or the undo. */
  index?: number;
}

export interface Undo {
  /** Index of its step, in the order of performing. */
  step: number;
  says: string;
  act: Act;
  /** False: done, or never needed. */
  open: boolean;
  attempts: number;
  lastError: string;
}

/** What a fault is made of in the process that armed it; one read from a journal has none. */
export interface Plan {
  kind: FaultKind;
  params: Record<string, unknown>;
  here: Here;
  standing: boolean;
  steps: Step[];
  witness: Witness;
}

/** Why a fault heals: who ended it, that an act failed, or that its witness saw nothing. */
export type Cause =
  | { why: EndedBy; error?: string }
  | { why: 'failed'; error: string }
  /** Given up before it fired. */
  | { why: 'missed'; error: string };

export interface Fault {
  key: string;
  id: string;
  instance: number;
  owner: string;
  kind: string;
  specHash: string;
  dryRun: boolean;
  armOnly: boolean;
  durationMs?: number;
  leaseMs?: number;
  state: State;
  plan?: Plan;
  /** Serial of its journal record. */
  record?: number;
  planText: { says: string; undo: string }[];
  claims: Claim[];
  /** In the order of the acts. */
  undos: Undo[];
  /** What its witness asks of the machine; kept in the journal, for who heals after a restart. */
  sample?: Query;
  receipt: Receipt;
  problems: Problem[];
  error?: string;
  doing?: Doing;
  /** Who waits for the answer to its creation. */
  tickets: number[];
  armedAtMs?: number;
  fireAtMs?: number;
  firedAtMs?: number;
  /** Steps begun and steps done, in the order of performing. */
  stepsBegun: number;
  stepsDone: number;
  refreshedAtMs?: number;
  nextRefreshMs?: number;
  activeAtMs?: number;
  nextLookMs?: number;
  leaseEndsMs?: number;
  wanted?: Cause;
  cause?: Cause;
  healingSinceMs?: number;
  lastLooked?: boolean;
  afterLooked?: boolean;
  retryAtMs?: number;
  retries: number;
  endedAtMs?: number;
  /** Read from the journal at start: healed before anything else, newest first. */
  recovered: boolean;
  notes: string[];
}

export interface AgentState {
  node: string;
  bootId: string;
  agentPort: number;
  /** The topology of requests without a context: this node, or what its configuration says. */
  ownNodes: Node[];
  limits: Limits;
  capabilities: Capability[];
  /** POST /v1/heal came, POST /v1/resume did not. */
  closed: boolean;
  /** The daemon stops: nothing new, everything heals. */
  stopping: boolean;
  nextSerial: number;
  /** By key `id/instance`, oldest first. */
  faults: ReadonlyMap<string, Fault>;
}

export interface AgentIdentity {
  node: string;
  bootId: string;
  agentPort: number;
  ownNodes: Node[];
  limits?: Partial<Limits>;
  /** As an earlier agent here has left it. */
  closed?: boolean;
}

export function initialState(identity: AgentIdentity): AgentState {
  return {
    node: identity.node,
    bootId: identity.bootId,
    agentPort: identity.agentPort,
    ownNodes: identity.ownNodes,
    limits: { ...DEFAULT_LIMITS, ...identity.limits },
    capabilities: [],
    closed: identity.closed ?? false,
    stopping: false,
    nextSerial: 1,
    faults: new Map(),
  };
}

export function keyOf(id: string, instance: number): string {
  return `${id}/${instance}`;
}

/** The instance of this id that counts: the latest. */
export function latest(faults: ReadonlyMap<string, Fault>, id: string): Fault | undefined {
  let found: Fault | undefined;
  for (const fault of faults.values())
    if (fault.id === id && !fault.dryRun && fault.instance > (found?.instance ?? 0)) found = fault;
  return found;
}

export function openUndos(fault: Fault): OpenUndo[] {
  return fault.undos
    .filter((undo) => undo.open && undo.attempts > 0)
    .map(({ says, attempts, lastError }) => ({ says, attempts, lastError }));
}
