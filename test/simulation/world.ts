import { Random } from '../../src/core/base/random.ts';

/** What happens at an instant; a promise is waited for before the next event. */
export type Task = () => void | Promise<void>;

interface Scheduled {
  atMs: number;
  order: number;
  task: Task | undefined;
}

/** Long enough that a boot clock an hour behind is still positive, ms. */
const FIRST_MS = 10_000_000;

/** Virtual time: one queue of events, one seed, one log. */
export class World {
  nowMs = FIRST_MS;
  readonly random: Random;
  readonly log: string[] = [];
  /** After every event. */
  onEvent: () => void = () => undefined;
  events = 0;
  #heap: Scheduled[] = [];
  #order = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** Time since the beginning, s, and what happened. */
  say(text: string): void {
    const seconds = ((this.nowMs - FIRST_MS) / 1000).toFixed(4).padStart(9);
    this.log.push(`${seconds} ${text}`);
  }

  /** @returns takes it back. */
  at(atMs: number, task: Task): () => void {
    const item: Scheduled = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, task };
    this.#push(item);
    return () => {
      item.task = undefined;
    };
  }

  after(ms: number, task: Task): () => void {
    return this.at(this.nowMs + ms, task);
  }

  /** A time from low to high, in steps of 0.1 ms. */
  drawMs(low: number, high: number, random: Random = this.random): number {
    return random.between(Math.round(low * 10), Math.round(high * 10)) / 10;
  }

  /** Events until this instant; all of them happened when it returns. */
  async runUntil(untilMs: number): Promise<void> {
    for (let next = this.#heap[0]; next && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      const { task } = next;
      if (!task) continue;
      this.nowMs = next.atMs;
      this.events += 1;
      const result = task();
      if (result) await result;
      this.onEvent();
    }
    this.nowMs = untilMs;
  }

  #before(left: Scheduled, right: Scheduled): boolean {
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
  }

  #push(item: Scheduled): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(item);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above] as Scheduled;
      if (!this.#before(item, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Scheduled;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right && this.#before(right, heap[below] as Scheduled)) below += 1;
      const child = heap[below] as Scheduled;
      if (!this.#before(child, last)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
  }
}
