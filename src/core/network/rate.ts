/**
 * A token bucket with a bounded wait (tc-tbf(8)) for each peer, told the time. Instead of tokens it
 * keeps when the line would be free, as the generic cell rate algorithm does: nothing runs between
 * packets.
 */
export class RateLimit {
  readonly #usPerByte: number;
  readonly #burstUs: number;
  readonly #latencyUs: number;
  readonly #freeAtUs: Float64Array;

  constructor(
    rate: { bytesPerSecond: number; burstBytes: number; latencyUs: number },
    peers: number,
  ) {
    this.#usPerByte = 1e6 / rate.bytesPerSecond;
    this.#burstUs = rate.burstBytes * this.#usPerByte;
    this.#latencyUs = rate.latencyUs;
    this.#freeAtUs = new Float64Array(peers);
  }

  /** @returns how long the packet has to wait, in microseconds; -1: too long, it is dropped. */
  waitUs(peer: number, bytes: number, nowUs: number): number {
    const behind = Math.max(nowUs - this.#burstUs, this.#freeAtUs[peer] ?? 0);
    const freeAt = behind + bytes * this.#usPerByte;
    const wait = Math.max(0, freeAt - nowUs);
    if (wait > this.#latencyUs) return -1;
    this.#freeAtUs[peer] = freeAt;
    return wait;
  }
}
