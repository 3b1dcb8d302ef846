import { FrameCutter, type FrameSink, type Route } from './frame-cutter.ts';
import type { PendingReplies } from './pending.ts';
import type { ProxyShared } from './shared.ts';

/** The other end, and the one that bytes come from. */
export interface SideLink {
  write(bytes: Uint8Array): void;
  /** Whether the kernel has all that was written. */
  flushed(): boolean;
  /** Of the source. */
  pause(): void;
  resume(): void;
  /** Ends the whole connection. */
  cut(): void;
  /** Something was finished: perhaps the last thing. */
  settled(): void;
}

/**
 * One direction of a connection: frames go by, wait, or are read whole in room that all connections
 * share. Its source is read no further while something waits, here or in the other end's socket.
 */
export abstract class Side<Link extends SideLink = SideLink> implements FrameSink {
  protected readonly pending: PendingReplies;
  protected readonly shared: ProxyShared;
  protected readonly link: Link;
  protected readonly cutter: FrameCutter;
  #taken = 0;
  #isFull = false;
  #gone = false;

  constructor(pending: PendingReplies, shared: ProxyShared, link: Link) {
    this.pending = pending;
    this.shared = shared;
    this.link = link;
    this.cutter = new FrameCutter(this);
  }

  abstract begin(start: Buffer, size: number, flush: () => void): Route;
  abstract collected(frame: Buffer): boolean;
  abstract ended(flush: () => void): void;

  pass(bytes: Buffer): void {
    this.link.write(bytes);
  }

  /** Whether nothing that came still has to go. */
  get idle(): boolean {
    return !this.cutter.stopped;
  }

  /** Whether the source is read no further until the other end has taken what was written. */
  get isFull(): boolean {
    return this.#isFull;
  }

  push(chunk: Buffer): void {
    this.cutter.push(chunk);
    if (this.cutter.stopped) this.link.pause();
  }

  blind(): void {
    this.cutter.blind = true;
  }

  full(): void {
    this.#isFull = true;
    this.link.pause();
  }

  writable(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    if (!this.cutter.stopped) this.link.resume();
  }

  /** The source is gone for good: what a half frame of its was given room for is free again. */
  sourceGone(): void {
    this.#gone = true;
    if (this.idle) this.#abandon();
  }

  #abandon(): void {
    this.cutter.abandon();
    this.giveBack();
  }

  /** Takes room for a frame of this size. @returns false: there is not so much; it was counted. */
  protected takeRoom(size: number, largest: number): boolean {
    if (size <= largest && this.shared.room.take(size)) {
      this.#taken = size;
      return true;
    }
    this.shared.counts.unread++;
    return false;
  }

  protected giveBack(): void {
    this.shared.room.give(this.#taken);
    this.#taken = 0;
  }

  /** What made all wait is over. */
  protected goOn(): void {
    this.cutter.go();
    if (this.cutter.stopped) return;
    if (this.#gone) this.#abandon();
    if (!this.#isFull) this.link.resume();
    this.link.settled();
  }
}
