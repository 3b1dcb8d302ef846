import type { Readable } from 'node:stream';
import { assert } from '../../core/base/assert.ts';
import { sameJson } from '../../core/base/canonical-json.ts';
import { Failure } from '../../core/base/failure.ts';
import type { Checked } from '../../core/base/problem.ts';
import { admit, checkRequest, type Resolution } from '../../core/coordinator/admission.ts';
import type {
  MachineEffect,
  MachineEvent,
  MachineSettings,
  MachineState,
  StepResult,
} from '../../core/coordinator/machine-types.ts';
import { recover, startState, step } from '../../core/coordinator/machine.ts';
import { nextWakeBootMs } from '../../core/coordinator/orders.ts';
import { newRecord, type FaultRecord, type Instant } from '../../core/coordinator/record.ts';
import type { Blast } from '../../core/coordinator/safety.ts';
import { faultStatus } from '../../core/coordinator/status.ts';
import type { FaultRequest } from '../../core/model/fault-request.ts';
import type { Event, FaultStatus, NodeStatus } from '../../core/model/fault-status.ts';
import { hasEnded } from '../../core/model/lifecycle.ts';
import type { Limits } from '../../core/model/scenario.ts';
import type { Cluster, ClusterSnapshot, NodeName, Topology } from '../../core/model/topology.ts';
import { EventLog } from '../http/event-log.ts';
import { HttpProblem, unprocessable } from '../http/http-problem.ts';
import { bootMs } from '../clock.ts';
import { streamFromAgent } from './agent-stream.ts';
import type { AgentLink, LinkOptions } from './agent-link.ts';
import type { AgentAnswer, CoordinatorApi, CreateOptions, Table } from './api.ts';
import { planEverywhere } from './dry-run.ts';
import { dialAgents, sendCommand } from './links.ts';
import { nodeStatuses } from './node-status.ts';
import type { Store } from './store.ts';

/** The part of host/kafka/view.ts that is needed here; tests give a fixed one. */
export interface LiveView {
  snapshot(): ClusterSnapshot;
  refresh(): Promise<ClusterSnapshot>;
}

export interface CoordinatorLogger {
  info(data: object, message: string): void;
  error(data: object, message: string): void;
}

export interface CoordinatorOptions {
  cluster: Cluster;
  store: Store;
  stateDirectory: string;
  limits: Limits;
  agents: Pick<LinkOptions, 'token' | 'tls'>;
  view?: LiveView;
  settings?: Partial<MachineSettings>;
  logger: CoordinatorLogger;
  /** A bug was found: the daemon is to stop. */
  onBug: (error: unknown) => void;
}

interface Waiter {
  holds: (fault: FaultStatus) => boolean;
  done: () => void;
}

const FLUSH_MS = 100;
/** A view older than this is asked anew before a selector is resolved on it. */
const FRESH_MS = 300;
const REFRESH_MAX_MS = 700;
/** How long after its time limit an arming may take to be settled. */
const SETTLE_MS = 2_500;
const FAULTS_LISTED_MAX = 10_000;

/** Runs the pure machine of core/coordinator on real links, disk and time. */
export class Coordinator implements CoordinatorApi {
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly stateDirectory: string;
  readonly events: EventLog<Event>;
  readonly links: ReadonlyMap<NodeName, AgentLink>;
  readonly #options: CoordinatorOptions;
  readonly #store: Store;
  #state: MachineState;
  readonly #queue: MachineEvent[] = [];
  #isStepping = false;
  #isClosed = false;
  #wake: NodeJS.Timeout | undefined;
  #flush: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;
  readonly #unsaved = new Map<string, FaultRecord>();
  #unsavedEvents: Event[] = [];
  readonly #resolving = new Set<string>();
  readonly #limits = new Map<string, Limits>();
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #workloadListeners = new Set<(node: NodeName, id: string, status: unknown) => void>();

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.cluster = options.cluster;
    this.topology = { name: options.cluster.name, nodes: options.cluster.nodes };
    this.stateDirectory = options.stateDirectory;
    this.#store = options.store;
    const { events, lastId } = this.#store.events();
    this.events = new EventLog<Event>(4_096, lastId, events);
    const halted = this.#store.setting('halted') === 'true';
    const open = this.#store.openFaults();
    this.#state = startState(this.owner, this.topology, halted, open, options.settings);
    this.links = dialAgents(this.cluster, { ...options.agents, owner: this.owner }, (node) => ({
      up: (clock, coordinatorAddresses) => {
        this.emit({ type: 'node.linked', node, message: `${node} is linked` });
        this.#dispatch({ event: 'linkUp', node, clock, coordinatorAddresses });
      },
      down: (reason) => {
        this.emit({ type: 'node.lost', node, message: `contact with ${node} is lost: ${reason}` });
        this.#dispatch({ event: 'linkDown', node });
      },
      clock: (clock) => this.#dispatch({ event: 'clock', node, clock }),
      status: (faults, complete) => this.#dispatch({ event: 'status', node, faults, complete }),
      workload: (id, status) => {
        for (const listener of this.#workloadListeners) listener(node, id, status);
      },
    }));
  }

  get owner(): string {
    return this.#store.owner;
  }

  get halted(): boolean {
    return this.#state.halted;
  }

  get state(): MachineState {
    return this.#state;
  }

  /** Takes up what the last coordinator on this state left, and dials the agents. */
  start(): void {
    this.#apply(recover(this.#state, this.#now()));
    this.#afterSteps();
    for (const link of this.links.values()) link.start();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#wake);
    clearImmediate(this.#look);
    for (const link of this.links.values()) link.close();
    this.#writeUnsaved();
    clearTimeout(this.#flush);
  }

  #now(): Instant {
    return { wallMs: Date.now(), bootMs: bootMs() };
  }

  /** Takes an event, and all that follow from it, one after the other. @throws Failure: see #apply */
  #dispatch(event: MachineEvent): void {
    if (this.#isClosed) return;
    this.#queue.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
        this.#apply(step(this.#state, next, this.#now()), next);
    } catch (error) {
      if (error instanceof Failure) throw error;
      this.#options.onBug(error);
      throw error;
    } finally {
      this.#isStepping = false;
      this.#afterSteps();
    }
  }

  #afterSteps(): void {
    // Once for all that came in together: a hundred reports are a hundred steps.
    this.#look ??= setImmediate(() => {
      this.#look = undefined;
      this.#tellWaiters();
    });
    clearTimeout(this.#wake);
    const now = this.#now();
    const at = this.#isClosed ? undefined : nextWakeBootMs(this.#state, now);
    if (at === undefined) return;
    const waitMs = Math.min(Math.max(1, Math.ceil(at - now.bootMs)), 60_000);
    this.#wake = setTimeout(() => this.#dispatch({ event: 'tick' }), waitMs);
  }

  #tellWaiters(): void {
    for (const [id, waiters] of this.#waiters) {
      const fault = this.getFault(id);
      for (const waiter of waiters) if (!fault || waiter.holds(fault)) waiter.done();
    }
  }

  /**
   * Makes a step's result true: disk first, then the rest. What cannot be written is not begun (a new
   * fault, the decision to fire) and not forgotten; healing never waits for the disk.
   * @throws Failure where a new fault could not be written.
   */
  #apply({ state, effects }: StepResult, event?: MachineEvent): void {
    const wasWritten = this.#writeFirst(effects, event?.event === 'create');
    this.#state = state;
    for (const effect of effects) {
      switch (effect.effect) {
        case 'save':
          if (!effect.durable) this.#saveSoon(effect.record);
          break;
        case 'halted':
          break;
        case 'send':
          if (!wasWritten && effect.command.command === 'forget') break;
          void sendCommand(this.links.get(effect.node), effect.node, effect.command).then(
            (answer) => this.#dispatch(answer),
          );
          break;
        case 'resolve':
          void this.#resolve(effect);
          break;
        case 'decided':
          if (wasWritten)
            this.#queue.push({ event: 'decided', id: effect.id, instance: effect.instance });
          break;
        case 'event':
          this.emit(effect.event);
          break;
      }
    }
  }

  #writeFirst(effects: readonly MachineEffect[], isCreation: boolean): boolean {
    const records = effects.flatMap((each) =>
      each.effect === 'save' && each.durable ? [each.record] : [],
    );
    const halted = effects.findLast((each) => each.effect === 'halted')?.halted;
    if (records.length === 0 && halted === undefined) return true;
    try {
      this.#store.transaction(() => {
        for (const record of records) this.#store.putFault(record);
        if (halted !== undefined) this.#store.putSetting('halted', String(halted));
      });
      for (const record of records) this.#unsaved.delete(record.id);
      return true;
    } catch (error) {
      if (isCreation) throw error;
      this.#options.logger.error({ err: error }, 'the state could not be written; tried again');
      for (const record of records) this.#saveSoon(record);
      return false;
    }
  }

  #saveSoon(record: FaultRecord): void {
    this.#unsaved.set(record.id, record);
    this.#flushSoon(FLUSH_MS);
  }

  #flushSoon(afterMs: number): void {
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      this.#writeUnsaved();
    }, afterMs);
  }

  #writeUnsaved(): void {
    if (this.#unsaved.size === 0 && this.#unsavedEvents.length === 0) return;
    try {
      this.#store.transaction(() => {
        for (const record of this.#unsaved.values()) this.#store.putFault(record);
        this.#store.putEvents(this.#unsavedEvents);
      });
      this.#unsaved.clear();
      this.#unsavedEvents = [];
    } catch (error) {
      // A full disk, most likely: what is in force goes on, and this is tried again.
      this.#options.logger.error({ err: error }, 'the state could not be written; tried again');
      this.#unsavedEvents = this.#unsavedEvents.slice(-1_000);
      if (!this.#isClosed) this.#flushSoon(1_000);
    }
  }

  async #resolve(effect: Extract<MachineEffect, { effect: 'resolve' }>): Promise<void> {
    const { id, instance, purpose } = effect;
    const key = `${purpose} ${id} ${instance}`;
    if (this.#resolving.has(key)) return;
    this.#resolving.add(key);
    const request = this.#state.faults.get(id)?.request;
    assert(request !== undefined, `resolve of ${id}, which is not there`);
    try {
      await this.#freshView();
      const result = this.#admit(request, instance, this.#limits.get(id));
      this.#dispatch({ event: 'resolved', id, instance, purpose, result });
    } finally {
      this.#resolving.delete(key);
    }
  }

  /** Looks at the cluster anew where the last look is not quite fresh, and not for long. */
  async #freshView(): Promise<void> {
    const { view } = this.#options;
    if (view === undefined || Date.now() - view.snapshot().takenAtMs < FRESH_MS) return;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, REFRESH_MAX_MS);
    await Promise.race([view.refresh(), over]);
    clearTimeout(timer);
  }

  #admit(request: FaultRequest, instance: number, limits?: Limits): Checked<Resolution> {
    const snapshot = this.clusterSnapshot();
    const capabilities = [...this.links].flatMap(([node, link]) =>
      link.capabilities === undefined ? [] : ([[node, link.capabilities]] as const),
    );
    return admit(
      request,
      { id: request.id, instance },
      {
        topology: this.topology,
        ...(snapshot === undefined ? {} : { snapshot }),
        limits:
          limits === undefined ? this.#options.limits : { ...this.#options.limits, ...limits },
        capabilities: new Map(capabilities),
        standing: this.#standing(request.id),
      },
    );
  }

  #standing(except: string): Blast[] {
    return [...this.#state.faults.values()].flatMap((record) =>
      record.id !== except && record.stage !== 'pending' && record.resolution
        ? [record.resolution.blast]
        : [],
    );
  }

  async createFault(
    request: FaultRequest,
    options: CreateOptions = {},
  ): Promise<{ created: boolean; fault: FaultStatus }> {
    const known = this.#known(request);
    if (known && options.dryRun !== true) return this.#settled(known, false, options);
    this.#refuseHalted();
    const problems = checkRequest(request, this.topology, Date.now());
    if (problems.length > 0) throw unprocessable(problems);
    const isTimed = request.startAt !== undefined || request.after !== undefined;
    let resolution: Resolution | undefined;
    if (!isTimed || options.dryRun === true) {
      if (request.targets !== undefined) await this.#freshView();
      const admitted = this.#admit(request, 1, options.limits);
      if (!admitted.ok) throw unprocessable(admitted.problems);
      resolution = admitted.value;
    }
    const record = newRecord(request, this.#now(), resolution);
    if (options.dryRun === true) {
      const fault = await planEverywhere(record, this.#state, this.links);
      return { created: false, fault };
    }
    // Somebody else may have been faster while the cluster was looked at.
    const twin = this.#known(request);
    if (twin) return this.#settled(twin, false, options);
    this.#refuseHalted();
    if (options.limits) this.#limits.set(request.id, options.limits);
    this.#dispatch({ event: 'create', record });
    return this.#settled(request.id, true, options);
  }

  #refuseHalted(): void {
    if (!this.halted) return;
    throw new HttpProblem(
      409,
      'everything was healed (POST /v1/heal); POST /v1/resume allows new faults again',
      { conflictsWith: 'heal' },
    );
  }

  /** The id of the same fault, if it is there. @throws HttpProblem 409: another spec has this id. */
  #known(request: FaultRequest): string | undefined {
    const known = this.#state.faults.get(request.id) ?? this.#store.fault(request.id);
    if (known === undefined) return undefined;
    if (sameJson(known.request, request)) return request.id;
    throw new HttpProblem(409, `fault '${request.id}' is there already, with another spec`, {
      conflictsWith: request.id,
    });
  }

  /** Waits until it is armed or refused (or as long as asked for); a new one that was refused throws. */
  async #settled(
    id: string,
    created: boolean,
    options: CreateOptions,
  ): Promise<{ created: boolean; fault: FaultStatus }> {
    const waitMs = options.waitMs ?? 0;
    const isSettled = ({ state }: FaultStatus): boolean =>
      waitMs > 0 ? state === 'active' || hasEnded(state) : state !== 'arming';
    const mostMs = this.#state.settings.armTimeoutMs + SETTLE_MS;
    const fault = await this.waitFault(id, isSettled, waitMs > 0 ? waitMs : mostMs);
    if (!created || fault.state !== 'refused') return { created, fault };
    const conflictsWith = this.#record(id)?.conflictsWith;
    throw new HttpProblem(
      conflictsWith === undefined ? 422 : 409,
      `fault '${id}' was refused: ${fault.problems.map((problem) => problem.message).join('; ')}`,
      {
        problems: fault.problems,
        ...(conflictsWith === undefined ? {} : { conflictsWith }),
      },
    );
  }

  healFault(id: string): FaultStatus {
    if (this.#state.faults.has(id)) this.#dispatch({ event: 'heal', id });
    const fault = this.getFault(id);
    if (fault === undefined) throw new HttpProblem(404, `there is no fault '${id}'`);
    return fault;
  }

  #record(id: string): FaultRecord | undefined {
    return this.#state.faults.get(id) ?? this.#unsaved.get(id) ?? this.#store.fault(id);
  }

  getFault(id: string): FaultStatus | undefined {
    const record = this.#record(id);
    return record && faultStatus(record, this.owner);
  }

  listFaults(filter: { run?: string; states?: readonly string[] } = {}): FaultStatus[] {
    return this.#store
      .faults(filter.run, FAULTS_LISTED_MAX)
      .map((stored) =>
        faultStatus(
          this.#state.faults.get(stored.id) ?? this.#unsaved.get(stored.id) ?? stored,
          this.owner,
        ),
      )
      .filter((fault) => filter.states === undefined || filter.states.includes(fault.state));
  }

  async waitFault(
    id: string,
    holds: (fault: FaultStatus) => boolean,
    timeoutMs: number,
  ): Promise<FaultStatus> {
    const now = this.getFault(id);
    if (now === undefined) throw new HttpProblem(404, `there is no fault '${id}'`);
    if (holds(now)) return now;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter: Waiter = { holds, done: resolve };
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters.add(waiter));
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    waiters.delete(waiter);
    if (waiters.size === 0) this.#waiters.delete(id);
    return this.getFault(id) ?? now;
  }

  healAll(): void {
    this.#dispatch({ event: 'healAll' });
  }

  resume(): void {
    this.#dispatch({ event: 'resume' });
  }

  onEvent(listener: (event: Event) => void): () => void {
    return this.events.subscribe(listener);
  }

  emit(event: Omit<Event, 'id' | 'at'>): void {
    const numbered = this.events.append({ at: new Date().toISOString(), ...event });
    this.#unsavedEvents.push(numbered);
    const { type, fault, node, run } = event;
    this.#options.logger.info({ type, fault, node, run }, event.message);
    this.#flushSoon(FLUSH_MS);
  }

  clusterSnapshot(): ClusterSnapshot | undefined {
    return this.#options.view?.snapshot();
  }

  nodes(): NodeStatus[] {
    return nodeStatuses(this.cluster, this.links, this.#state);
  }

  #link(node: NodeName): AgentLink {
    const link = this.links.get(node);
    if (link) return link;
    throw new Failure('agent-unreachable', `node '${node}' has no agent`, { definite: true });
  }

  async agentRequest(
    node: NodeName,
    method: string,
    path: string,
    body?: unknown,
    timeoutMs?: number,
  ): Promise<AgentAnswer> {
    return this.#link(node).request(method, path, body, timeoutMs);
  }

  async agentStream(node: NodeName, path: string): Promise<Readable> {
    return streamFromAgent(this.#link(node).options, path);
  }

  onWorkload(listener: (node: NodeName, id: string, status: unknown) => void): () => void {
    this.#workloadListeners.add(listener);
    return () => this.#workloadListeners.delete(listener);
  }

  table<T>(name: string): Table<T> {
    return this.#store.table<T>(name);
  }
}
