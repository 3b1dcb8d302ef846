const SUB = 32;
const BUCKETS = SUB * 27;

/**
 * Counts of latencies in log-linear buckets: 32 to each doubling (about 3% wide), from one microsecond
 * to an hour. Linear in nothing but the number of buckets.
 */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #maxUs = 0;

  /** @param us microseconds, whole. @param times how many had it. */
  add(us: number, times = 1): void {
    const whole = us < 0 ? 0 : us > 3.6e9 ? 3.6e9 : Math.floor(us);
    let bucket = whole;
    if (whole >= SUB) {
      const power = whole < 2 ** 31 ? 31 - Math.clz32(whole) : 31;
      bucket = (power - 4) * SUB + Math.floor(whole / 2 ** (power - 5)) - SUB;
    }
    const index = bucket < BUCKETS ? bucket : BUCKETS - 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + times;
    this.#total += times;
    if (whole > this.#maxUs) this.#maxUs = whole;
  }

  /** The upper edge of the bucket that holds the given share (0 to 1), in milliseconds; 0 if empty. */
  percentileMs(share: number): number {
    if (this.#total === 0) return 0;
    const wanted = Math.max(1, Math.ceil(this.#total * share));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#counts[index] ?? 0;
      if (seen >= wanted) return Math.min(upperEdgeUs(index), this.#maxUs) / 1_000;
    }
    return this.#maxUs / 1_000;
  }

  get maxMs(): number {
    return this.#maxUs / 1_000;
  }

  get total(): number {
    return this.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#maxUs = 0;
  }
}

function upperEdgeUs(index: number): number {
  if (index < SUB) return index;
  const power = Math.floor(index / SUB) + 4;
  return ((index % SUB) + SUB + 1) * 2 ** (power - 5);
}
