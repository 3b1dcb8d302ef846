import type { Random } from '../../src/core/base/random.ts';
import type { SimCoordinator } from './coordinator.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

/** What goes wrong, out of the seed: deaths, stops, reboots, networks, and acts that fail. */
export class Chaos {
  readonly #world: World;
  readonly #random: Random;
  readonly #nodes: readonly SimNode[];
  readonly #coordinators: readonly SimCoordinator[];
  readonly #weights: number[];
  readonly #meanMs: number;
  #isOver = false;

  constructor(world: World, nodes: readonly SimNode[], coordinators: readonly SimCoordinator[]) {
    this.#world = world;
    this.#random = world.random.fork('chaos');
    this.#nodes = nodes;
    this.#coordinators = coordinators;
    // By swarm: some troubles are off for a whole seed.
    const on = (weight: number): number => (this.#random.below(3) === 0 ? 0 : weight);
    this.#weights = [1, on(4), on(4), on(2), on(1), on(4), on(2), on(4), on(4), on(2), on(2)];
    this.#meanMs = this.#random.pick([500, 1_500, 4_000, 60_000]);
  }

  start(untilMs: number): void {
    this.#world.after(this.#world.drawMs(1, 2 * this.#meanMs, this.#random), () => {
      if (this.#isOver || this.#world.nowMs > untilMs) return;
      this.#strike();
      this.start(untilMs);
    });
  }

  /** No more trouble, and everything is there again. */
  end(): void {
    this.#isOver = true;
    for (const coordinator of this.#coordinators) {
      coordinator.diesInApply = false;
      coordinator.process.goOn();
      coordinator.start();
    }
    for (const node of this.#nodes) {
      node.troubleUntilMs = Math.min(node.troubleUntilMs, this.#world.nowMs);
      node.agent?.process.goOn();
      for (const guard of node.guards) guard.process.goOn();
      node.disturb();
      this.#keepUp(node);
      for (const coordinator of this.#coordinators) {
        const link = coordinator.link(node.name);
        if (!link) continue;
        link.cutUntilMs = 0;
        if (link.connection) link.connection.stalledUntilMs = 0;
      }
    }
  }

  /** The operator's init: starts an agent that is not there. */
  #keepUp(node: SimNode): void {
    node.startAgent();
    this.#world.after(1_000, () => this.#keepUp(node));
  }

  #strike(): void {
    const node = this.#random.pick(this.#nodes);
    const coordinator = this.#random.pick(this.#coordinators);
    const link = coordinator.link(node.name);
    const ms = this.#random.pick([300, 2_000, 6_000, 12_000, 40_000]);
    const forMs = this.#world.drawMs(1, ms, this.#random);
    switch (this.#random.weighted(this.#weights)) {
      case 0:
        return this.#restart(coordinator, forMs);
      case 1:
        return this.#killAgent(node, forMs);
      case 2:
        return this.#stopAgent(node, forMs);
      case 3:
        return this.#killGuard(node);
      case 4:
        return this.#reboot(node, forMs);
      case 5:
        return link?.connection?.close();
      case 6:
        return this.#killBoth(node, forMs);
      case 7:
        if (link?.connection) link.connection.stalledUntilMs = this.#world.nowMs + forMs;
        return;
      case 8:
        if (link) link.cutUntilMs = this.#world.nowMs + forMs;
        return link?.connection?.close();
      case 9:
        node.troubleUntilMs = this.#world.nowMs + forMs;
        return this.#world.say(`${node.name}: acts fail for ${forMs} ms`);
      default:
        return this.#stopCoordinator(coordinator, forMs);
    }
  }

  #restart(coordinator: SimCoordinator, afterMs: number): void {
    if (this.#random.below(2) === 0) coordinator.diesInApply = true;
    else coordinator.kill();
    this.#world.after(afterMs, () => {
      // The machine it runs on may have been started again, too.
      if (this.#random.below(5) === 0 && !coordinator.process.alive)
        coordinator.offsetMs = 5_000 - this.#world.nowMs;
      coordinator.start();
    });
  }

  #stopCoordinator(coordinator: SimCoordinator, forMs: number): void {
    const { process } = coordinator;
    process.stop();
    this.#world.after(forMs, () => process.goOn());
  }

  #killAgent(node: SimNode, afterMs: number): void {
    node.disturb();
    node.agent?.process.kill();
    this.#world.after(afterMs, () => node.startAgent());
  }

  #killGuard(node: SimNode): void {
    node.disturb();
    const [guard] = node.guards;
    const what = this.#random.below(2);
    if (what === 0 && guard?.healer?.alive === true) guard.healer.kill();
    else guard?.kill();
  }

  /** Nobody is left who heals, until the next start. */
  #killBoth(node: SimNode, afterMs: number): void {
    for (const guard of node.guards) guard.kill();
    node.agent?.process.kill();
    for (const guard of node.guards) guard.kill();
    node.disturb();
    this.#world.after(4 * afterMs, () => {
      node.disturb();
      node.startAgent();
    });
  }

  #stopAgent(node: SimNode, forMs: number): void {
    const process = node.agent?.process;
    node.disturb();
    process?.stop();
    this.#world.after(forMs, () => {
      node.disturb();
      process?.goOn();
      // One that the guard has killed is started again.
      this.#world.after(this.#world.drawMs(10, 3_000, this.#random), () => node.startAgent());
    });
  }

  #reboot(node: SimNode, afterMs: number): void {
    node.reboot();
    this.#world.after(afterMs, () => node.startAgent());
  }
}
