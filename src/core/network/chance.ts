import type { Random } from '../base/random.ts';
import type { Fraction } from '../base/ratio.ts';
import type { GilbertElliott, Likelihood } from '../model/packet-shape.ts';

const WHOLE = 0x1_0000_0000;

/** Draws below it are hits; 2^32 for certainty. */
export function threshold({ numerator, denominator }: Fraction): number {
  return Math.round((numerator / denominator) * WHOLE);
}

/** Whether the next packet is hit. Allocates nothing when asked. */
export interface Chance {
  hit(): boolean;
}

/**
 * Each packet by itself; with a correlation it fares as the one before, that often. So the share of
 * packets hit stays what was asked for, whatever the correlation.
 */
class Independent implements Chance {
  readonly #random: Random;
  readonly #below: number;
  readonly #repeat: number;
  #last = false;
  #first = true;

  constructor(random: Random, { ratio, correlation }: Likelihood) {
    this.#random = random;
    this.#below = threshold(ratio);
    this.#repeat = threshold(correlation);
  }

  hit(): boolean {
    if (this.#repeat > 0 && this.#random.next() < this.#repeat && !this.#first) return this.#last;
    this.#first = false;
    this.#last = this.#random.next() < this.#below;
    return this.#last;
  }
}

/** The state changes before the packet is judged, as in netem. */
class Bursts implements Chance {
  readonly #random: Random;
  readonly #toBad: number;
  readonly #toGood: number;
  readonly #arrivesBad: number;
  readonly #arrivesGood: number;
  #bad = false;

  constructor(random: Random, { p, r, h, k }: GilbertElliott) {
    this.#random = random;
    this.#toBad = threshold(p);
    this.#toGood = threshold(r);
    this.#arrivesBad = threshold(h);
    this.#arrivesGood = threshold(k);
  }

  hit(): boolean {
    const turn = this.#random.next();
    if (this.#bad) this.#bad = turn >= this.#toGood;
    else this.#bad = turn < this.#toBad;
    return this.#random.next() >= (this.#bad ? this.#arrivesBad : this.#arrivesGood);
  }
}

/** Every n-th packet. */
class EveryNth implements Chance {
  readonly #gap: number;
  #count = 0;

  constructor(gap: number) {
    this.#gap = gap;
  }

  hit(): boolean {
    this.#count = (this.#count + 1) % this.#gap;
    return this.#count === 0;
  }
}

export function chanceOf(
  random: Random,
  likelihood: Likelihood | GilbertElliott | { gap: number },
): Chance {
  if ('gap' in likelihood) return new EveryNth(likelihood.gap);
  return 'ratio' in likelihood
    ? new Independent(random, likelihood)
    : new Bursts(random, likelihood);
}
