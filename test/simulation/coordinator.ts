import { sameJson } from '../../src/core/base/canonical-json.ts';
import { admit, checkRequest } from '../../src/core/coordinator/admission.ts';
import type {
  Command,
  MachineEffect,
  MachineEvent,
  MachineState,
  StepResult,
} from '../../src/core/coordinator/machine-types.ts';
import { startState, step } from '../../src/core/coordinator/machine.ts';
import { nextWakeBootMs } from '../../src/core/coordinator/orders.ts';
import { newRecord, type FaultRecord, type Instant } from '../../src/core/coordinator/record.ts';
import type { FaultRequest } from '../../src/core/model/fault-request.ts';
import type { ClusterSnapshot, Topology } from '../../src/core/model/topology.ts';
import { CoordinatorLink } from './coordinator-link.ts';
import type { CoordinatorView } from './coordinator-view.ts';
import type { Subject } from './mutations.ts';
import type { SimNode } from './node.ts';
import { Process } from './process.ts';
import type { World } from './world.ts';

/** The wall clock when virtual time begins is a round one. */
const WALL_MS = 1_800_000_000_000;
const FLUSH_MS = 100;

export interface CoordinatorWorld {
  world: World;
  topology: Topology;
  nodes: readonly SimNode[];
  subject: Subject;
  view: CoordinatorView;
  snapshot(): ClusterSnapshot;
}

/** host/coordinator/coordinator.ts in virtual time: the pure machine, its disk and its links. */
export class SimCoordinator {
  readonly owner: string;
  process: Process;
  state: MachineState;
  /** What its database holds: JSON, as on a disk. */
  readonly disk = new Map<string, string>();
  diskHalted = false;
  offsetMs: number;
  /** Killed in the middle of what it does next. */
  diesInApply = false;
  readonly #around: CoordinatorWorld;
  #queue: MachineEvent[] = [];
  #isStepping = false;
  #unsaved = new Map<string, FaultRecord>();
  #isFlushing = false;
  #wake: () => void = () => undefined;
  #links: CoordinatorLink[] = [];
  #resolving = new Set<string>();
  #starts = 0;

  constructor(around: CoordinatorWorld, owner: string) {
    this.#around = around;
    this.owner = owner;
    this.offsetMs = around.world.random.between(-3_600_000, 3_600_000);
    this.process = new Process(around.world, owner);
    this.process.alive = false;
    this.state = startState(owner, around.topology, false, []);
  }

  now(): Instant {
    const { nowMs } = this.#around.world;
    return { wallMs: WALL_MS + nowMs, bootMs: nowMs + this.offsetMs };
  }

  records(): FaultRecord[] {
    return [...this.disk.values()].map((text) => JSON.parse(text) as FaultRecord);
  }

  start(): void {
    if (this.process.alive) return;
    const { world, topology, subject, nodes, view } = this.#around;
    view.restarted();
    this.#starts += 1;
    world.say(`${this.owner}: starts`);
    this.process = new Process(world, `${this.owner} ${this.#starts}`);
    this.#queue = [];
    this.#isStepping = false;
    this.#unsaved.clear();
    this.#isFlushing = false;
    this.#resolving.clear();
    this.diesInApply = false;
    const open = subject.openRecords(this.records());
    this.state = startState(this.owner, topology, this.diskHalted, open);
    this.#apply(subject.coordinatorRecover(this.state, this.now()));
    this.#afterSteps();
    this.#links = nodes.map((node) => new CoordinatorLink(this, node, world));
    for (const link of this.#links) link.dial();
  }

  kill(): void {
    this.process.kill();
    for (const link of this.#links) link.close();
  }

  link(node: string): CoordinatorLink | undefined {
    return this.#links.find((link) => link.node.name === node);
  }

  dispatch(event: MachineEvent): void {
    if (!this.process.alive) return;
    this.#queue.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if (!this.process.alive) return;
      this.#apply(step(this.state, next, this.now()));
    }
    this.#isStepping = false;
    this.#afterSteps();
  }

  #afterSteps(): void {
    this.#wake();
    const now = this.now();
    const at = nextWakeBootMs(this.state, now);
    if (at === undefined) return;
    const waitMs = Math.min(Math.max(1, Math.ceil(at - now.bootMs)), 60_000);
    this.#wake = this.process.after(waitMs, () => this.dispatch({ event: 'tick' }));
  }

  #apply({ state, effects }: StepResult): void {
    const { view, world, subject } = this.#around;
    this.#write(effects);
    this.state = state;
    const saved = effects.flatMap((each) => (each.effect === 'save' ? [each.record] : []));
    if (subject.judgesViews) view.saw(this, saved);
    const dies = this.diesInApply && effects.length > 0;
    const most = dies ? world.random.between(0, effects.length) : effects.length;
    for (const effect of effects.slice(0, most)) this.#carryOut(effect);
    if (dies) this.kill();
  }

  #write(effects: readonly MachineEffect[]): void {
    for (const effect of effects) {
      if (effect.effect === 'halted') this.diskHalted = effect.halted;
      if (effect.effect !== 'save' || !effect.durable) continue;
      this.disk.set(effect.record.id, JSON.stringify(effect.record));
      this.#unsaved.delete(effect.record.id);
    }
  }

  #carryOut(effect: MachineEffect): void {
    switch (effect.effect) {
      case 'save':
        if (!effect.durable) this.#saveSoon(effect.record);
        return;
      case 'send':
        return this.#send(effect.node, effect.command);
      case 'resolve':
        return this.#resolve(effect);
      case 'decided':
        this.#queue.push({ event: 'decided', id: effect.id, instance: effect.instance });
        return;
      case 'event':
        return this.#around.world.say(`${this.owner}: ${effect.event.message}`);
      case 'halted':
        return;
    }
  }

  #saveSoon(record: FaultRecord): void {
    this.#unsaved.set(record.id, record);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.process.after(FLUSH_MS, () => {
      this.#isFlushing = false;
      for (const each of this.#unsaved.values()) this.disk.set(each.id, JSON.stringify(each));
      this.#unsaved.clear();
    });
  }

  #send(node: string, command: Command): void {
    const answered = (event: MachineEvent): void => this.dispatch(event);
    this.link(node)?.send(command, answered);
  }

  #admit(request: FaultRequest, instance: number) {
    const { topology, snapshot } = this.#around;
    return admit(
      request,
      { id: request.id, instance },
      {
        topology,
        snapshot: snapshot(),
        limits: { keepQuorum: false },
        capabilities: new Map(),
        standing: [],
      },
    );
  }

  #resolve(effect: Extract<MachineEffect, { effect: 'resolve' }>): void {
    const { id, instance, purpose } = effect;
    const key = `${purpose} ${id} ${instance}`;
    const request = this.state.faults.get(id)?.request;
    if (this.#resolving.has(key) || request === undefined) return;
    this.#resolving.add(key);
    const { world } = this.#around;
    this.process.after(world.random.below(4) === 0 ? world.drawMs(0, 700) : 0, () => {
      this.#resolving.delete(key);
      const result = this.#admit(request, instance);
      this.dispatch({ event: 'resolved', id, instance, purpose, result });
    });
  }

  /** POST /v1/faults. @returns the status of the answer; 0: it is not there. */
  create(request: FaultRequest): number {
    if (!this.process.running) return 0;
    const stored = this.disk.get(request.id);
    const known =
      this.state.faults.get(request.id) ?? (stored && (JSON.parse(stored) as FaultRecord));
    if (known) return sameJson(known.request, request) ? 200 : 409;
    if (this.state.halted) return 409;
    if (checkRequest(request, this.#around.topology, this.now().wallMs).length > 0) return 422;
    const isTimed = request.startAt !== undefined || request.after !== undefined;
    const admitted = isTimed ? undefined : this.#admit(request, 1);
    if (admitted?.ok === false) return 422;
    const record = newRecord(request, this.now(), admitted?.ok ? admitted.value : undefined);
    this.dispatch({ event: 'create', record });
    // Killed in the middle: nobody got an answer.
    return this.process.alive ? 201 : 0;
  }
}
