import { assert } from './assert.ts';
import type { Fraction } from './ratio.ts';
import { fnv1a64 } from './hash.ts';

const MASK = 0xffffffffffffffffn;

/** One step of splitmix64 (Steele, Lea, Flood 2014): spreads a 64-bit seed over a state. */
function splitmix64(state: bigint): { state: bigint; output: bigint } {
  const next = (state + 0x9e3779b97f4a7c15n) & MASK;
  let z = next;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return { state: next, output: z ^ (z >> 31n) };
}

function rotateLeft(value: number, bits: number): number {
  return ((value << bits) | (value >>> (32 - bits))) >>> 0;
}

/**
 * The one source of chance: xoshiro128** (Blackman, Vigna 2018), 32-bit integer arithmetic only,
 * so that the same seed gives the same draws on every machine, for years (golden vectors are in
 * test/core/base/random.test.ts and docs/reference/random.md). Not for secrets.
 *
 * Streams are forked by name: `fork('network.delay')` depends on the seed and the name alone, not on
 * what was drawn before, so adding a kind does not move the draws of the others.
 */
export class Random {
  readonly seed: bigint;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any integer; its low 64 bits count. */
  constructor(seed: bigint | number) {
    this.seed = BigInt(seed) & MASK;
    const first = splitmix64(this.seed);
    const second = splitmix64(first.state);
    this.#a = Number(first.output >> 32n);
    this.#b = Number(first.output & 0xffffffffn);
    this.#c = Number(second.output >> 32n);
    this.#d = Number(second.output & 0xffffffffn);
  }

  /** The next 32 bits, as an integer from 0 to 2^32 - 1. */
  next(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5) >>> 0, 7), 9) >>> 0;
    const shifted = (this.#b << 9) >>> 0;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b = (this.#b ^ this.#c) >>> 0;
    this.#a = (this.#a ^ this.#d) >>> 0;
    this.#c = (this.#c ^ shifted) >>> 0;
    this.#d = rotateLeft(this.#d >>> 0, 11);
    return result;
  }

  /** An integer from 0 to bound - 1, each as likely (rejection sampling). bound: 1 to 2^32. */
  below(bound: number): number {
    assert(Number.isInteger(bound) && bound >= 1 && bound <= 0x1_0000_0000, `below(${bound})`);
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    for (;;) {
      const drawn = this.next();
      if (drawn < limit) return drawn % bound;
    }
  }

  /** An integer from low to high, both included. */
  between(low: number, high: number): number {
    assert(high >= low, `between(${low}, ${high})`);
    return low + this.below(high - low + 1);
  }

  /** True with the probability of the fraction. */
  chance(fraction: Fraction): boolean {
    return this.below(fraction.denominator) < fraction.numerator;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, 'pick from nothing');
    return items[this.below(items.length)] as T;
  }

  /** The index of one of the weights, each as likely as its share. Weights: whole, sum 1 to 2^32. */
  weighted(weights: readonly number[]): number {
    let drawn = this.below(weights.reduce((sum, weight) => sum + weight, 0));
    for (const [index, weight] of weights.entries()) {
      if (drawn < weight) return index;
      drawn -= weight;
    }
    assert(false, 'weights do not add up');
  }

  /** A new array in a random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let index = shuffled.length - 1; index > 0; index--) {
      const other = this.below(index + 1);
      [shuffled[index], shuffled[other]] = [shuffled[other] as T, shuffled[index] as T];
    }
    return shuffled;
  }

  /** `count` different items in their original order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const chosen = this.shuffle(items.map((_, index) => index)).slice(0, count);
    return chosen.sort((a, b) => a - b).map((index) => items[index] as T);
  }

  /** An independent stream that depends on this seed and the name alone. */
  fork(name: string): Random {
    return new Random(splitmix64(this.seed ^ fnv1a64(name)).output);
  }
}
