import type { Readable } from 'node:stream';
import { Failure } from '../../core/base/failure.ts';
import type { MachineState } from '../../core/coordinator/machine-types.ts';
import { startState } from '../../core/coordinator/machine.ts';
import type { FaultRequest } from '../../core/model/fault-request.ts';
import type { Event, FaultStatus, NodeStatus } from '../../core/model/fault-status.ts';
import type { Cluster, ClusterSnapshot, NodeName, Topology } from '../../core/model/topology.ts';
import { EventLog } from '../http/event-log.ts';
import { Admitter } from './admitter.ts';
import type { AgentLink, LinkListener } from './agent-link.ts';
import { streamFromAgent } from './agent-stream.ts';
import type { AgentAnswer, CoordinatorApi, CreateOptions, Table } from './api.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { Driver } from './driver.ts';
import { Faults } from './faults.ts';
import { dialAgents, sendCommand } from './links.ts';
import { nodeStatuses } from './node-status.ts';
import { KnownTopology } from './known-topology.ts';
import type { CoordinatorOptions } from './options.ts';
import { Writer } from './writer.ts';

const EVENTS_HELD = 4_096;

/** Runs the pure machine of core/coordinator on real links, disk and time. */
export class Coordinator implements CoordinatorApi {
  readonly cluster: Cluster;
  readonly stateDirectory: string;
  readonly events: EventLog<Event>;
  readonly links: ReadonlyMap<NodeName, AgentLink>;
  readonly #options: CoordinatorOptions;
  readonly #topology: KnownTopology;
  readonly #writer: Writer;
  readonly #driver: Driver;
  readonly #faults: Faults;
  readonly #watch: ClusterWatch | undefined;
  readonly #workloadListeners = new Set<(node: NodeName, id: string, status: unknown) => void>();

  constructor(options: CoordinatorOptions) {
    const { cluster, store, limits, view } = options;
    this.#options = options;
    this.cluster = cluster;
    const topology = new KnownTopology(cluster, view);
    this.#topology = topology;
    this.stateDirectory = options.stateDirectory;
    const { events, lastId } = store.events();
    this.events = new EventLog<Event>(EVENTS_HELD, lastId, events);
    const writer = new Writer(store, options.logger);
    const linkOptions = { ...options.agents, owner: this.owner };
    const links = dialAgents(cluster, linkOptions, (node) => this.#listener(node));
    const admitter = new Admitter({ topology, links, limits, view });
    const halted = store.setting('halted') === 'true';
    const open = store.openFaults();
    const state = startState(this.owner, topology, halted, open, options.settings);
    const driver = new Driver(state, {
      writeFirst: (effects, isCreation) => writer.writeFirst(effects, isCreation),
      saveSoon: (record) => writer.saveSoon(record),
      send: (node, command) => sendCommand(links.get(node), node, command),
      resolve: (effect) => admitter.resolve(effect, driver),
      emit: (event) => this.emit(event),
      stepped: () => this.#faults.changed(),
      onBug: options.onBug,
    });
    this.#watch = view && new ClusterWatch(view, (event) => this.emit(event));
    this.links = links;
    this.#writer = writer;
    this.#driver = driver;
    this.#faults = new Faults({ topology, links, store, writer, driver, admitter });
  }

  #listener(node: NodeName): LinkListener {
    return {
      up: (clock, coordinatorAddresses) => {
        this.emit({ type: 'node.linked', node, message: `${node} is linked` });
        this.#driver.dispatch({ event: 'linkUp', node, clock, coordinatorAddresses });
      },
      down: (reason) => {
        this.emit({ type: 'node.lost', node, message: `contact with ${node} is lost: ${reason}` });
        this.#driver.dispatch({ event: 'linkDown', node });
      },
      clock: (clock) => this.#driver.dispatch({ event: 'clock', node, clock }),
      status: (faults, complete) =>
        this.#driver.dispatch({ event: 'status', node, faults, complete }),
      workload: (id, status) => {
        for (const listener of this.#workloadListeners) listener(node, id, status);
      },
      event: ({ type, fault, message, data }) => {
        const run = fault === undefined ? undefined : this.getFault(fault)?.request.run;
        const about = { ...(fault === undefined ? {} : { fault }), ...(run && { run }) };
        // What other coordinators do to that node is theirs to tell.
        const isOurs = fault === undefined || this.getFault(fault) !== undefined;
        if (isOurs) this.emit({ type, node, ...about, message: `${node}: ${message}`, data });
      },
    };
  }

  get topology(): Topology {
    return this.#topology.learn();
  }

  get owner(): string {
    return this.#options.store.owner;
  }

  get halted(): boolean {
    return this.state.halted;
  }

  get state(): MachineState {
    return this.#driver.state;
  }

  /** Takes up what the last coordinator on this state left, and dials the agents. */
  start(): void {
    this.#driver.start();
    this.#watch?.start();
    for (const link of this.links.values()) link.start();
  }

  close(): void {
    this.#watch?.close();
    this.#driver.close();
    for (const link of this.links.values()) link.close();
    this.#writer.close();
  }

  async createFault(
    request: FaultRequest,
    options?: CreateOptions,
  ): Promise<{ created: boolean; fault: FaultStatus }> {
    return this.#faults.create(request, options);
  }

  healFault(id: string): FaultStatus {
    return this.#faults.heal(id);
  }

  getFault(id: string): FaultStatus | undefined {
    return this.#faults.get(id);
  }

  listFaults(filter?: { run?: string; states?: readonly string[] }): FaultStatus[] {
    return this.#faults.list(filter);
  }

  async waitFault(
    id: string,
    holds: (fault: FaultStatus) => boolean,
    timeoutMs: number,
  ): Promise<FaultStatus> {
    return this.#faults.wait(id, holds, timeoutMs);
  }

  healAll(): void {
    this.#driver.dispatch({ event: 'healAll' });
  }

  resume(): void {
    this.#driver.dispatch({ event: 'resume' });
  }

  onEvent(listener: (event: Event) => void): () => void {
    return this.events.subscribe(listener);
  }

  emit(event: Omit<Event, 'id' | 'at'>): void {
    const numbered = this.events.append({ at: new Date().toISOString(), ...event });
    this.#writer.saveEventSoon(numbered);
    const { type, fault, node, run } = event;
    this.#options.logger.info({ type, fault, node, run }, event.message);
  }

  clusterSnapshot(): ClusterSnapshot | undefined {
    return this.#options.view?.snapshot();
  }

  nodes(): NodeStatus[] {
    return nodeStatuses(this.topology, this.links, this.state);
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
    return this.#options.store.table<T>(name);
  }
}
