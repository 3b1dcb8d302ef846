import { Random } from '../base/random.ts';
import { chanceOf, threshold, type Chance } from './chance.ts';
import { quantileIndex, quantiles } from './distribution.ts';
import type { PacketShape } from '../model/packet-shape.ts';

/** Draws delays: whole microseconds, at least 0. */
class Delays {
  readonly #random: Random;
  readonly #latencyUs: number;
  readonly #jitterUs: number;
  readonly #table: Int32Array;
  readonly #repeat: number;
  #last: number;

  constructor(random: Random, delay: NonNullable<PacketShape['delay']>) {
    this.#random = random;
    this.#latencyUs = delay.latencyUs;
    this.#jitterUs = delay.jitterUs;
    this.#table = quantiles(delay.distribution);
    this.#repeat = threshold(delay.correlation);
    this.#last = this.#draw();
  }

  #draw(): number {
    if (this.#jitterUs === 0) return this.#latencyUs;
    const deviation = this.#table[quantileIndex(this.#random.next())] ?? 0;
    return Math.max(0, this.#latencyUs + Math.round((this.#jitterUs * deviation) / 1e6));
  }

  next(): number {
    const repeats = this.#repeat > 0 && this.#random.next() < this.#repeat;
    if (!repeats) this.#last = this.#draw();
    return this.#last;
  }
}

/**
 * What becomes of each packet, one after the other. The same shape and seed give the same decisions
 * for the same sequence of packets. Every part has a stream of chance of its own, and draws for every
 * packet that is not lost, so that one part never moves the draws of another. Nothing is allocated
 * for a packet: the decision is in the fields.
 */
export class Decider {
  /** Of the last packet decided on. */
  drop = false;
  duplicate = false;
  corrupt = false;
  /** Held so that others overtake it: no part of the queue's order. */
  held = false;
  delayUs = 0;

  readonly #loss: Chance | undefined;
  readonly #duplicate: Chance | undefined;
  readonly #corrupt: Chance | undefined;
  readonly #reorder: Chance | undefined;
  readonly #delays: Delays | undefined;
  readonly #holdUs: number;

  constructor(shape: PacketShape, seed: number) {
    const random = new Random(seed);
    const { loss, duplicate, corrupt, reorder, delay } = shape;
    this.#loss = loss && chanceOf(random.fork('loss'), loss);
    this.#duplicate = duplicate && chanceOf(random.fork('duplicate'), duplicate);
    this.#corrupt = corrupt && chanceOf(random.fork('corrupt'), corrupt);
    this.#reorder = reorder && chanceOf(random.fork('reorder'), reorder.chosen);
    this.#delays = delay && new Delays(random.fork('delay'), delay);
    this.#holdUs = reorder?.holdUs ?? 0;
  }

  /** Decides on the next packet. */
  next(): void {
    this.drop = this.#loss?.hit() ?? false;
    if (this.drop) return;
    this.duplicate = this.#duplicate?.hit() ?? false;
    this.corrupt = this.#corrupt?.hit() ?? false;
    this.held = this.#reorder?.hit() ?? false;
    this.delayUs = (this.#delays?.next() ?? 0) + (this.held ? this.#holdUs : 0);
  }
}

/** Whether packets leave in the order in which they came, whatever chance decides. */
export function keepsOrder(shape: PacketShape): boolean {
  return shape.reorder === undefined && (shape.delay?.jitterUs ?? 0) === 0;
}
