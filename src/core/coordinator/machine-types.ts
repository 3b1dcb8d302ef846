import type { Checked, Problem } from '../base/problem.ts';
import type { AgentFaultRequest } from '../model/fault-request.ts';
import type { AgentFaultStatus, Event as ShownEvent } from '../model/fault-status.ts';
import type { NodeName, Topology } from '../model/topology.ts';
import type { Resolution } from './admission.ts';
import type { FaultRecord } from './record.ts';

/** Node's boot clock minus the coordinator's, as measured. */
export interface ClockEstimate {
  offsetMs: number;
  uncertaintyMs: number;
  /** Best round trip seen, ms. */
  roundTripMs: number;
}

/** What is known of an agent through its link. */
export interface LinkState {
  up: boolean;
  /** All its faults have been reported since the link came up: it can be judged and commanded. */
  complete: boolean;
  clock: ClockEstimate;
  /** Our addresses as that node sees them. */
  coordinatorAddresses: readonly string[];
  /** All its faults by reportKey, other owners' too. */
  reports: ReadonlyMap<string, AgentFaultStatus>;
  /** Commands without an answer, 'name id instance'. */
  inFlight: ReadonlySet<string>;
  /** Boot clock before which a command that failed is not tried again. */
  retryAtBootMs: ReadonlyMap<string, number>;
}

export interface MachineState {
  owner: string;
  topology: Topology;
  settings: MachineSettings;
  /** After heal everything, until resume. */
  halted: boolean;
  /** Faults that have not ended; those that have are in the store. */
  faults: ReadonlyMap<string, FaultRecord>;
  links: ReadonlyMap<NodeName, LinkState>;
  leasesAtBootMs: number;
}

export interface MachineSettings {
  /** An agent that has not armed by then is refused by name. */
  armTimeoutMs: number;
  /** A timed fault is resolved and armed this long before its start. */
  armAheadMs: number;
  /** The fire messages of a timed fault leave this long before its start. */
  fireAheadMs: number;
  /** Between the decision to fire and the instant: a few round trips, and at least this. */
  fireLeadMinMs: number;
  /** A timed fault that is armed later than this after its start is missed. */
  lateMaxMs: number;
  leaseRenewalMs: number;
  retryMs: number;
}

export const DEFAULT_SETTINGS: MachineSettings = {
  armTimeoutMs: 2_500,
  armAheadMs: 2_000,
  fireAheadMs: 250,
  fireLeadMinMs: 15,
  lateMaxMs: 1_000,
  leaseRenewalMs: 5_000,
  retryMs: 1_000,
};

/** One request to an agent. */
export type Command =
  | { command: 'arm'; id: string; instance: number; body: AgentFaultRequest }
  | { command: 'fire'; id: string; instance: number; atBootMs: number }
  | { command: 'heal'; id: string; instance: number }
  | { command: 'forget'; id: string; instance: number }
  | { command: 'leases'; owner: string; faults: { id: string; instance: number }[] };

/** What happens to the coordinator. */
export type MachineEvent =
  /** Passed checkRequest, and admit() where it starts at once. */
  | { event: 'create'; record: FaultRecord }
  /** Answer to a resolve effect. */
  | {
      event: 'resolved';
      id: string;
      instance: number;
      purpose: 'arm' | 'fire';
      result: Checked<Resolution>;
    }
  /** Answer to a decided effect: the decision is on disk. */
  | { event: 'decided'; id: string; instance: number }
  | { event: 'heal'; id: string }
  | { event: 'healAll' }
  | { event: 'resume' }
  | {
      event: 'linkUp';
      node: NodeName;
      clock: ClockEstimate;
      coordinatorAddresses: readonly string[];
    }
  | { event: 'linkDown'; node: NodeName }
  | { event: 'clock'; node: NodeName; clock: ClockEstimate }
  | { event: 'status'; node: NodeName; faults: readonly AgentFaultStatus[]; complete: boolean }
  /** status 0: no answer came. */
  | {
      event: 'answer';
      node: NodeName;
      command: Command;
      status: number;
      fault?: AgentFaultStatus;
      problems?: readonly Problem[];
      detail?: string;
      conflictsWith?: string;
    }
  | { event: 'tick' };

/** What the coordinator is to do, in this order. */
export type MachineEffect =
  /** `durable`: on disk before the effects after it; else soon. */
  | { effect: 'save'; record: FaultRecord; durable: boolean }
  | { effect: 'halted'; halted: boolean }
  | { effect: 'send'; node: NodeName; command: Command }
  /** Resolve the selector now and come back with `resolved`. */
  | { effect: 'resolve'; id: string; instance: number; purpose: 'arm' | 'fire' }
  /** Comes after a durable save: come back with `decided`. */
  | { effect: 'decided'; id: string; instance: number }
  | { effect: 'event'; event: Omit<ShownEvent, 'id' | 'at'> };

export interface StepResult {
  state: MachineState;
  effects: MachineEffect[];
}
