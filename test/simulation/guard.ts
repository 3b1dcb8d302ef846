import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import type { SimNode } from './node.ts';
import { Process } from './process.ts';

const GRACE_MS = 1_000;
const PATIENCE_MS = 4_000;
const LOCK_WAIT_MS = 5_000;

/** host/guard.sh and the healer it starts (host/heal-offline.ts), in virtual time. */
export class Guard {
  readonly process: Process;
  readonly #node: SimNode;
  readonly #agent: Process;
  #dueMs: number | undefined;
  #cancel: () => void = () => undefined;
  #isTakingOver = false;
  healer: Process | undefined;

  constructor(node: SimNode, agent: Process) {
    this.#node = node;
    this.#agent = agent;
    this.process = new Process(node.world, `${node.name} guard`);
  }

  kill(): void {
    this.#node.guards.delete(this);
    this.healer?.kill();
    this.process.kill();
  }

  #exit(): void {
    this.#node.guards.delete(this);
    this.process.onDeath = () => undefined;
    this.process.alive = false;
  }

  /** A line in the pipe; read when the guard runs. */
  beat(dueMs: number | undefined): void {
    if (!this.process.alive) return;
    void this.process.do(() => {
      this.#dueMs = dueMs;
      this.#watch();
    });
  }

  #watch(): void {
    this.#cancel();
    if (this.#dueMs === undefined || this.#isTakingOver) return;
    const leftMs = this.#dueMs + GRACE_MS - this.#node.bootMs;
    if (leftMs <= 0) {
      const isHung = this.#agent.stopped || -leftMs >= PATIENCE_MS - GRACE_MS;
      if (isHung) return this.#takeOver(true);
    }
    this.#cancel = this.process.after(leftMs <= 0 ? 200 : leftMs + 1, () => this.#watch());
  }

  /** The other end of the pipe is closed. */
  agentDied(agent: Process): void {
    if (agent !== this.#agent) return;
    this.process.onDeath = () => undefined;
    this.process.after(0, () => this.#takeOver(false));
  }

  #takeOver(kills: boolean): void {
    if (this.#isTakingOver) return;
    this.#isTakingOver = true;
    this.#cancel();
    this.#node.world.say(`${this.process.name}: takes over${kills ? ', its agent hangs' : ''}`);
    this.#heal(kills, 1_000);
  }

  #heal(kills: boolean, pauseMs: number): void {
    const { world } = this.#node;
    this.healer = new Process(world, `${this.#node.name} healer`);
    const { healer } = this;
    const end = (healed: boolean): void => {
      if (this.#node.lock === healer) this.#node.lock = undefined;
      healer.onDeath = () => undefined;
      healer.alive = false;
      void this.process.do(() => {
        if (healed) return this.#exit();
        this.process.after(pauseMs, () => this.#heal(kills, Math.min(30_000, 2 * pauseMs)));
      });
    };
    healer.onDeath = () => {
      this.#node.disturb();
      end(false);
    };
    healer.after(world.drawMs(100, 400), () => {
      if (kills) this.#agent.kill();
      this.#lockAndHeal(healer, world.nowMs + LOCK_WAIT_MS, end);
    });
  }

  #lockAndHeal(healer: Process, untilMs: number, end: (healed: boolean) => void): void {
    const { world, lock } = this.#node;
    if (lock?.alive === true) {
      // An agent is back, and heals.
      if (lock === this.#node.agent?.process) return end(true);
      if (world.nowMs >= untilMs) return end(false);
      return void healer.after(50, () => this.#lockAndHeal(healer, untilMs, end));
    }
    this.#node.lock = healer;
    const ports = {
      beat: () => undefined,
      onStatus: (status: AgentFaultStatus) =>
        this.#node.invariants.agentSays(this.#node, healer, status),
    };
    const { driver, journal } = this.#node.makeDriver(healer, 'healer', ports);
    this.#node.recover(driver, journal, 'guard', () => {
      const isStuck = [...driver.state.faults.values()].some((one) => one.state === 'stuck');
      healer.after(1, async () => end((await this.#removeLeftovers()) && !isStuck));
    });
  }

  async #removeLeftovers(): Promise<boolean> {
    let isClean = true;
    for (const leftover of await this.#node.linux.leftovers()) {
      try {
        await this.#node.perform(leftover.remove);
      } catch {
        // Trouble on the machine: the guard tries again later.
        isClean = false;
      }
    }
    return isClean;
  }
}
