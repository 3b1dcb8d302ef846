import type { Process } from './process.ts';
import type { World } from './world.ts';

/** One end of a connection. */
export interface End<Frame> {
  process: Process;
  onFrame(frame: Frame): void;
  /** The connection is known to be gone. */
  onLost(): void;
}

const PING_MS = 2_000;
const SILENT_PINGS_MAX = 3;

/**
 * A TCP connection between a coordinator and an agent: in order in each direction, delayed, and lost
 * as a whole. Who is cut off by the network learns it from pings, after seconds.
 */
export class Connection<ToAgent, ToCoordinator> {
  isOpen = true;
  readonly #world: World;
  readonly #coordinator: End<ToCoordinator>;
  readonly #agent: End<ToAgent>;
  /** Nothing arrives before this instant: packets are lost and sent again. */
  stalledUntilMs = 0;
  #arrivalMs = { agent: 0, coordinator: 0 };
  #silent = 0;
  #drains: 'agent' | 'coordinator' | undefined;
  readonly #slowMs: number;

  constructor(world: World, coordinator: End<ToCoordinator>, agent: End<ToAgent>) {
    this.#world = world;
    this.#coordinator = coordinator;
    this.#agent = agent;
    this.#slowMs = world.random.pick([0.3, 2, 20]);
    this.#watch();
  }

  toAgent(frame: ToAgent): void {
    this.#send('agent', this.#agent, frame);
  }

  toCoordinator(frame: ToCoordinator): void {
    this.#send('coordinator', this.#coordinator, frame);
  }

  #send<Frame>(to: 'agent' | 'coordinator', end: End<Frame>, frame: Frame): void {
    if (!this.isOpen) return;
    const goesOnMs = this.stalledUntilMs > this.#world.nowMs ? this.stalledUntilMs + 0.1 : 0;
    const earliestMs = Math.max(this.#world.nowMs, goesOnMs, this.#arrivalMs[to]);
    const atMs = earliestMs + this.#world.drawMs(0, this.#slowMs);
    this.#arrivalMs[to] = atMs;
    this.#world.at(atMs, () => {
      // Behind a stall that began while it was on its way.
      if (this.stalledUntilMs <= this.#world.nowMs) return this.#deliver(to, end, frame);
      this.#world.at(this.stalledUntilMs, () => this.#deliver(to, end, frame));
      this.#arrivalMs[to] = Math.max(this.#arrivalMs[to], this.stalledUntilMs);
      return undefined;
    });
  }

  #deliver<Frame>(
    to: 'agent' | 'coordinator',
    end: End<Frame>,
    frame: Frame,
  ): void | Promise<void> {
    if (!this.isOpen && this.#drains !== to) return undefined;
    return end.process.do(() => end.onFrame(frame));
  }

  /**
   * A process is dead or has closed its socket: the other one learns it soon.
   * @param by whose last words may still arrive.
   */
  close(by?: 'agent' | 'coordinator'): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const heard = by === 'agent' ? 'coordinator' : 'agent';
    if (by !== undefined && this.#world.random.below(2) === 0) this.#drains = heard;
    for (const [name, end] of [
      ['coordinator', this.#coordinator],
      ['agent', this.#agent],
    ] as const) {
      const drainedMs = this.#drains === name ? this.#arrivalMs[name] : 0;
      const atMs = Math.max(this.#world.nowMs, drainedMs) + this.#world.drawMs(0, 3);
      this.#world.at(atMs, () => end.process.do(() => end.onLost()));
    }
  }

  /** Pings, from both ends: one that gets no answer takes the connection for lost. */
  #watch(): void {
    this.#world.after(PING_MS, () => {
      if (!this.isOpen) return;
      const bothRun = this.#coordinator.process.running && this.#agent.process.running;
      this.#silent = bothRun && this.stalledUntilMs <= this.#world.nowMs ? 0 : this.#silent + 1;
      if (this.#silent > SILENT_PINGS_MAX) this.close();
      else this.#watch();
    });
  }
}
