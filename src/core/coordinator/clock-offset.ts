import type { ClockEstimate } from './machine-types.ts';

/** One exchange: asked and answered by our clock, read by theirs in between; all ms. */
export interface ClockSample {
  askedMs: number;
  answeredMs: number;
  theirsMs: number;
}

const SAMPLES_MAX = 64;
/** Two quartz clocks part by up to this much: an old sample is worth less than its round trip says. */
const DRIFT_PER_MS = 50e-6;

/**
 * Offset of another node's clock from ours, as NTP's clock filter does it (RFC 5905, section 10): of
 * the last exchanges the one with the shortest round trip is right within half of that.
 */
export class ClockOffset {
  #samples: ClockSample[] = [];

  add(sample: ClockSample): void {
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }

  /** @param nowMs our clock. @returns undefined before the first exchange. */
  estimate(nowMs: number): ClockEstimate | undefined {
    let best: ClockEstimate | undefined;
    for (const { askedMs, answeredMs, theirsMs } of this.#samples) {
      const roundTripMs = Math.max(0, answeredMs - askedMs);
      const uncertaintyMs = roundTripMs / 2 + (nowMs - answeredMs) * DRIFT_PER_MS;
      if (best !== undefined && best.uncertaintyMs <= uncertaintyMs) continue;
      best = { offsetMs: theirsMs - (askedMs + answeredMs) / 2, uncertaintyMs, roundTripMs };
    }
    return best;
  }
}
