import { lock, unlock } from './lock.ts';
import { WORD } from './memory.ts';

/*
 * Only one serving thread waits in read(2): of several the kernel would wake the one that waited longest,
 * on another CPU and with cold caches, for each request anew; and it would wake one more for each FORGET.
 * The one whose turn it is serves what it reads itself. Before work that takes long it passes the
 * turn on; where work takes long unexpectedly, the turn is taken from it by the thread that watches.
 *
 * WORD.turn counts up: a number for each request, times 4, and what is done:
 */
const FREE = 0;
const READS = 1;
const SERVES = 2;
const STATE = 3;

/** A request that takes longer may not hold up others: it is left to its thread. */
const LOOK_MS = 5;

/** Where one took that long, more may: so many are served with the turn passed on at once. */
const WARY_REQUESTS = 64;

/** One serving thread's part in who reads the next request. */
export class Turn {
  readonly #words: Int32Array;
  /** The turn as this thread left it; of no meaning unless it is ours. */
  #turn = 0;
  #isOurs = false;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Waits until this thread may read the next request. */
  take(): void {
    if (this.#isOurs && this.#move(READS)) return;
    lock(this.#words, WORD.watcher);
    this.#watch();
    unlock(this.#words, WORD.watcher);
  }

  /** A request was read. */
  serves(): void {
    const words = this.#words;
    this.#move(SERVES);
    if (Atomics.load(words, WORD.watched) === 0) {
      Atomics.store(words, WORD.watched, 1);
      Atomics.notify(words, WORD.turn, 1);
    }
    const wary = Atomics.load(words, WORD.wary);
    if (wary === 0) return;
    Atomics.store(words, WORD.wary, wary - 1);
    this.pass();
  }

  /** What comes now may take long, or the thread ends: another one reads meanwhile. */
  pass(): void {
    if (!this.#isOurs) return;
    if (this.#move(FREE)) Atomics.notify(this.#words, WORD.turn, 1);
    this.#isOurs = false;
  }

  /** Goes on from the turn as we know it. @returns false where it is no longer ours. */
  #move(to: number): boolean {
    const from = this.#turn;
    const next = ((from & ~STATE) + (to === READS ? STATE + 1 : 0) + to) | 0;
    this.#turn = next;
    this.#isOurs = Atomics.compareExchange(this.#words, WORD.turn, from, next) === from;
    return this.#isOurs;
  }

  /** Until the turn is free, or whose it is has been serving one request for too long. */
  #watch(): void {
    const words = this.#words;
    Atomics.store(words, WORD.watched, 1);
    for (;;) {
      const seen = Atomics.load(words, WORD.turn);
      const state = seen & STATE;
      let isStuck = false;
      if (state !== FREE) {
        const isSame = Atomics.wait(words, WORD.turn, seen, LOOK_MS) === 'timed-out';
        if (isSame && state === READS) this.#sleep(seen);
        isStuck = isSame && state === SERVES;
      }
      if (state !== FREE && !isStuck) continue;
      this.#turn = seen;
      if (!this.#move(READS)) continue;
      if (isStuck) Atomics.store(words, WORD.wary, WARY_REQUESTS);
      return;
    }
  }

  /** There is nothing to do: whoever reads the next request wakes us. */
  #sleep(seen: number): void {
    Atomics.store(this.#words, WORD.watched, 0);
    Atomics.wait(this.#words, WORD.turn, seen);
    Atomics.store(this.#words, WORD.watched, 1);
  }
}
