const HALF = 2 ** 24;
/** The multiplier 0x5DEECE66D and the addend of the generator, in halves of 24 bits. */
const MULTIPLIER_HIGH = 0x5de;
const MULTIPLIER_LOW = 0xece66d;
const ADDEND = 0xb;

/**
 * The generator that java.util.Random documents: a linear congruential one of 48 bits, so that what a
 * Java program drew from a seed can be drawn again. Kept in two halves, which doubles multiply exactly.
 * Our own draws are base/random.ts.
 */
export class JavaRandom {
  #high = 0;
  #low = 0;
  #nextGaussian: number | undefined;

  /** @param seed whole, exact to 2^53. */
  constructor(seed: number) {
    this.setSeed(seed);
  }

  setSeed(seed: number): void {
    const low = seed - Math.floor(seed / HALF) * HALF;
    const rest = Math.floor(seed / HALF);
    const high = rest - Math.floor(rest / HALF) * HALF;
    this.#low = (low ^ MULTIPLIER_LOW) >>> 0;
    this.#high = (high ^ MULTIPLIER_HIGH) >>> 0;
    this.#nextGaussian = undefined;
  }

  #step(): void {
    const low = this.#low * MULTIPLIER_LOW + ADDEND;
    const carry = Math.floor(low / HALF);
    const high = this.#high * MULTIPLIER_LOW + this.#low * MULTIPLIER_HIGH + carry;
    this.#low = low - carry * HALF;
    this.#high = high - Math.floor(high / HALF) * HALF;
  }

  /** The next 32 bits, signed. */
  nextInt(): number {
    this.#step();
    return (this.#high << 8) | (this.#low >>> 16);
  }

  #bits(count: number): number {
    return this.nextInt() >>> (32 - count);
  }

  /** 0 to bound - 1. */
  below(bound: number): number {
    let drawn = this.#bits(31);
    // The bound is a power of two: the upper bits are the better ones.
    if ((bound & (bound - 1)) === 0) return Math.floor((bound * drawn) / 2 ** 31);
    // What the last, incomplete multiple of the bound would favour is drawn again.
    while (drawn - (drawn % bound) + bound - 1 >= 2 ** 31) drawn = this.#bits(31);
    return drawn % bound;
  }

  /** Draws the bytes from `from` on. */
  draw(bytes: Uint8Array, from = 0): void {
    for (let at = from; at < bytes.length;) {
      let word = this.nextInt();
      for (const end = Math.min(at + 4, bytes.length); at < end; at++) {
        bytes[at] = word & 0xff;
        word >>= 8;
      }
    }
  }

  #double(): number {
    return (this.#bits(26) * 2 ** 27 + this.#bits(27)) * 2 ** -53;
  }

  /** Of mean 0 and deviation 1, by the polar method; two at a time. */
  gaussian(): number {
    const kept = this.#nextGaussian;
    this.#nextGaussian = undefined;
    if (kept !== undefined) return kept;
    for (;;) {
      const one = 2 * this.#double() - 1;
      const two = 2 * this.#double() - 1;
      const square = one * one + two * two;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#nextGaussian = two * factor;
      return one * factor;
    }
  }
}
