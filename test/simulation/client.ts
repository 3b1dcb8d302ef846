import { formatInstant } from '../../src/core/base/instant.ts';
import type { Random } from '../../src/core/base/random.ts';
import type { FaultRequest } from '../../src/core/model/fault-request.ts';
import type { SimCoordinator } from './coordinator.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

/** Asks for what its seed draws, of one coordinator and of agents themselves. */
export class Client {
  readonly acknowledged = new Set<string>();
  readonly #world: World;
  readonly #random: Random;
  readonly #coordinator: SimCoordinator;
  readonly #nodes: readonly SimNode[];
  readonly #sent: FaultRequest[] = [];
  readonly #onHalt: () => void;

  constructor(
    world: World,
    coordinator: SimCoordinator,
    nodes: readonly SimNode[],
    onHalt: () => void,
  ) {
    this.#world = world;
    this.#random = world.random.fork(`client of ${coordinator.owner}`);
    this.#coordinator = coordinator;
    this.#nodes = nodes;
    this.#onHalt = onHalt;
  }

  /** Asks now and then, until then. */
  start(untilMs: number): void {
    this.#world.after(this.#world.drawMs(50, 3_500, this.#random), () => {
      if (this.#world.nowMs > untilMs) return;
      this.#ask();
      this.start(untilMs);
    });
  }

  #ask(): void {
    const old = this.#sent.length > 0 ? this.#random.pick(this.#sent) : undefined;
    const what = this.#random.weighted([60, 12, 3, 14, 2, 6, 3]);
    if (what === 0 || old === undefined) return this.#create(this.#draw());
    if (what === 1) return this.#create(old);
    if (what === 2) return this.#create({ ...old, reason: 'another spec' });
    if (what === 3) return this.heal(old.id);
    if (what === 4) return this.#healAll();
    if (what === 5) return this.#createLocally();
    this.#healLocally();
  }

  #create(request: FaultRequest): void {
    const isKnown = this.acknowledged.has(request.id);
    const status = this.#coordinator.create(request);
    this.#world.say(
      `client: creates ${request.id} ${JSON.stringify({ ...request, id: undefined })}: ${status}`,
    );
    if (status === 201 && isKnown)
      throw new Error(`${request.id} was created again, and had been acknowledged before`);
    if (status === 201 || status === 200) this.acknowledged.add(request.id);
    if (status !== 409 && !this.#sent.includes(request)) this.#sent.push(request);
  }

  heal(id: string): void {
    if (!this.#coordinator.process.running) return;
    this.#world.say(`client: heals ${id}`);
    if (this.#coordinator.state.faults.has(id)) this.#coordinator.dispatch({ event: 'heal', id });
  }

  #healAll(): void {
    if (!this.#coordinator.process.running) return;
    this.#world.say('client: heals everything');
    this.#onHalt();
    this.#coordinator.dispatch({ event: 'healAll' });
    this.#world.after(this.#world.drawMs(100, 4_000, this.#random), () => this.resume());
  }

  resume(): void {
    if (!this.#coordinator.process.running || !this.#coordinator.state.halted) return;
    this.#world.say('client: resumes');
    this.#coordinator.dispatch({ event: 'resume' });
  }

  #draw(): FaultRequest {
    const random = this.#random;
    // Two owners may choose the same name.
    const id = random.below(15) === 0 ? `shared-${random.below(3)}` : this.#freshId();
    const request: FaultRequest = { id, ...this.#drawWhat() };
    const durationMs = 100 * random.between(2, 80);
    const hasDuration = random.below(5) > 0;
    if (hasDuration) request.duration = `${durationMs}ms`;
    const lease = random.below(6);
    if (lease === 0 && hasDuration) request.lease = 'none';
    else if (lease > 1) request.lease = `${random.between(1, 8)}s`;
    const start = random.below(8);
    const startMs = random.between(10, 5_000);
    if (start === 0) request.after = `${startMs}ms`;
    if (start === 1) request.startAt = formatInstant(this.#coordinator.now().wallMs + startMs);
    if (hasDuration && random.below(8) === 0)
      request.every = `${durationMs + 1_000 + 100 * random.below(30)}ms`;
    return request;
  }

  #freshId(): string {
    return `${this.#coordinator.owner}-${this.#sent.length}-${this.#random.below(1_000)}`;
  }

  #drawWhat(): Pick<FaultRequest, 'kind' | 'targets' | 'params'> {
    const random = this.#random;
    const names = this.#nodes.map((node) => node.name);
    const some = random.sample(names, random.between(1, Math.min(3, names.length)));
    const targets = random.below(12) === 0 ? 'leader(orders-0)' : some;
    const what = random.weighted([3, 5, 2, 1, 2, 2]);
    if (what === 0) return { kind: 'noop', targets };
    if (what === 1) return { kind: 'network.partition', targets, params: { shape: 'isolate' } };
    if (what === 2) return { kind: 'process.pause', targets, params: {} };
    if (what === 3)
      return {
        kind: 'process.pause',
        targets,
        params: { duty: { on: '800ms', off: '200ms' } },
      };
    if (what === 4) return { kind: 'process.kill', targets, params: {} };
    return { kind: 'cpu.load', targets, params: { workers: 1, share: '50%' } };
  }

  /** A fault that an agent is asked for directly: it belongs to nobody's coordinator. */
  #createLocally(): void {
    const node = this.#random.pick(this.#nodes);
    const { agent } = node;
    if (!agent?.driver || !agent.process.running || !agent.listens) return;
    const id = this.#random.below(3) === 0 ? 'shared-0' : `local-${this.#random.below(1_000)}`;
    const request = { id, kind: 'cpu.load', duration: `${this.#random.between(1, 9)}s` };
    this.#world.say(`client: creates ${id} on ${node.name} itself`);
    agent.driver.request({ event: 'create', request, dryRun: false }, 'local', () => undefined);
  }

  #healLocally(): void {
    const { agent } = this.#random.pick(this.#nodes);
    if (!agent?.driver || !agent.process.running || !agent.listens) return;
    for (const fault of agent.driver.state.faults.values()) {
      if (fault.owner !== 'local') continue;
      agent.driver.request({ event: 'heal', id: fault.id }, 'local', () => undefined);
      return;
    }
  }
}
