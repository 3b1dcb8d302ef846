import { ClockOffset, type ClockSample } from '../../core/coordinator/clock-offset.ts';
import type { ClockEstimate } from '../../core/coordinator/machine-types.ts';
import { bootMs } from '../clock.ts';

/** How many links exchange clocks at one moment: every other one makes round trips longer. */
const AT_ONCE = 3;
/** An agent that does not answer keeps its turn no longer than this. */
const TURN_MAX_MS = 250;

/** Turns of the links of one coordinator: a hundred that come up together would measure each other. */
export class ClockTurns {
  #free = AT_ONCE;
  readonly #waiting: (() => void)[] = [];

  async take(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    };
    const timer = setTimeout(end, TURN_MAX_MS);
    try {
      await work();
    } finally {
      clearTimeout(timer);
      end();
    }
  }
}

/** How far one agent's clock is from ours: by exchanges over its link. */
export class LinkClock {
  readonly #ask: () => Promise<ClockSample | undefined>;
  readonly #turns: ClockTurns;
  readonly #offset = new ClockOffset();

  /** @param ask one exchange; undefined: the agent did not tell its time. @throws Failure */
  constructor(ask: () => Promise<ClockSample | undefined>, turns: ClockTurns) {
    this.#ask = ask;
    this.#turns = turns;
  }

  /** @throws Failure: the link went down. */
  async exchange(count: number): Promise<ClockEstimate | undefined> {
    await this.#turns.take(async () => {
      for (let index = 0; index < count; index++) {
        const sample = await this.#ask();
        if (sample) this.#offset.add(sample);
      }
    });
    return this.#offset.estimate(bootMs());
  }
}
