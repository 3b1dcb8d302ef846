import type { Readable } from 'node:stream';
import type { FaultRequest } from '../../core/model/fault-request.ts';
import type { Event, FaultStatus } from '../../core/model/fault-status.ts';
import type { RunStatus } from '../../core/model/run.ts';
import type { Limits } from '../../core/model/scenario.ts';
import type { Cluster, ClusterSnapshot, NodeName, Topology } from '../../core/model/topology.ts';

/** An answer of an agent's REST API, over its link. */
export interface AgentAnswer {
  status: number;
  body: unknown;
}

export interface CreateOptions {
  /** Check, resolve, probe and plan everywhere; touch and keep nothing. */
  dryRun?: boolean;
  /** Limits of a run, in place of the coordinator's own. */
  limits?: Limits;
  /** Answer once it is active or has ended, at most after this long; 0: once it is armed or refused. */
  waitMs?: number;
}

/** Records of one sort, by id, durable once put() has returned. */
export interface Table<T> {
  get(id: string): T | undefined;
  put(id: string, value: T): void;
  delete(id: string): void;
  /** Newest put first. */
  list(): { id: string; value: T }[];
}

/** What the runs of a coordinator stand on. */
export interface CoordinatorApi {
  /** Random id of this coordinator's state. */
  readonly owner: string;
  readonly cluster: Cluster;
  readonly topology: Topology;
  /** After POST /v1/heal: nothing new is allowed until resume. */
  readonly halted: boolean;
  /** @throws HttpProblem 409, 422 with every problem. `created` is false where it was there already. */
  createFault(
    request: FaultRequest,
    options?: CreateOptions,
  ): Promise<{ created: boolean; fault: FaultStatus }>;
  /** @throws HttpProblem 404. Returns at once; wait with waitFault. */
  healFault(id: string): FaultStatus;
  getFault(id: string): FaultStatus | undefined;
  /** Newest first. */
  listFaults(filter?: { run?: string; states?: readonly string[] }): FaultStatus[];
  /** Resolves when the condition holds, or after the time with the state then. */
  waitFault(
    id: string,
    holds: (fault: FaultStatus) => boolean,
    timeoutMs: number,
  ): Promise<FaultStatus>;
  /** Heals everything, refuses new faults until resume. */
  healAll(): void;
  resume(): void;
  onEvent(listener: (event: Event) => void): () => void;
  /** Adds an event to GET /v1/events ('run.phase', ...). */
  emit(event: Omit<Event, 'id' | 'at'>): void;
  /** The latest view of the Kafka cluster; undefined where cluster.yaml names no bootstrap. */
  clusterSnapshot(): ClusterSnapshot | undefined;
  /** One route of the agent, over its link. @throws Failure `agent-unreachable`, `timeout` */
  agentRequest(
    node: NodeName,
    method: string,
    path: string,
    body?: unknown,
    timeoutMs?: number,
  ): Promise<AgentAnswer>;
  /** A streamed answer (JSON lines) over HTTP. @throws Failure, HttpProblem */
  agentStream(node: NodeName, path: string): Promise<Readable>;
  /** Status frames of workloads, as agents push them. */
  onWorkload(listener: (node: NodeName, id: string, status: unknown) => void): () => void;
  /** A table of records in the coordinator's store: 'runs', ... */
  table<T>(name: string): Table<T>;
  /** The state directory; make a folder of your own in it for larger files. */
  readonly stateDirectory: string;
}

/** POST /v1/runs and the rest: executed elsewhere, on a CoordinatorApi. */
export interface Runs {
  /** @throws HttpProblem 409, 422 */
  create(request: { id: string; scenario: unknown; seed?: string }): Promise<{
    created: boolean;
    run: RunStatus;
  }>;
  list(): RunStatus[];
  get(id: string): RunStatus | undefined;
  /** Asks a run to end; undefined where there is none. `ended`: it had ended already. */
  cancel(id: string): { ended: boolean; run: RunStatus } | undefined;
  /** Entries so far, as they were recorded. */
  timeline(id: string): AsyncIterable<unknown>;
  /** JSON lines of the history. @throws HttpProblem 404, 409 */
  history(id: string): Promise<Readable>;
  /** Part of POST /v1/heal: every run ends. */
  cancelAll(): void;
  /** After a restart of the coordinator: goes on with the runs the store knows. */
  start(): void;
  close(): Promise<void>;
}
