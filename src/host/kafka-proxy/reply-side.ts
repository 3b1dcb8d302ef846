import { RESPONSE_PREFIX } from '../../core/codec/kafka/frame.ts';
import type { ProxyShared } from './connection.ts';
import { FrameCutter, type FrameSink, type Route } from './frame-cutter.ts';
import type { PendingReplies, PendingReply, ReplyPlan } from './pending.ts';

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

/** Larger responses are not altered. */
const ALTERED_MAX = 64 * 1024 * 1024;

/** From the broker to the client: responses in their order, some late, altered or lost. */
export class ReplySide implements FrameSink {
  readonly #pending: PendingReplies;
  readonly #shared: ProxyShared;
  readonly #link: SideLink;
  readonly #cutter: FrameCutter;
  #current: PendingReply | undefined;
  #collectedBytes = 0;
  #mute = false;
  #isFull = false;
  #gone = false;
  #waitingForIdle: (() => void) | undefined;

  constructor(pending: PendingReplies, shared: ProxyShared, link: SideLink) {
    this.#pending = pending;
    this.#shared = shared;
    this.#link = link;
    this.#cutter = new FrameCutter(this);
  }

  push(chunk: Buffer): void {
    this.#cutter.push(chunk);
    if (this.#cutter.stopped) this.#link.pause();
  }

  blind(): void {
    this.#cutter.blind = true;
  }

  full(): void {
    this.#isFull = true;
    this.#link.pause();
  }

  writable(): void {
    this.#isFull = false;
    if (!this.#cutter.stopped) this.#link.resume();
  }

  /** The broker is gone for good: what a half frame of its was given room for is free again. */
  sourceGone(): void {
    this.#gone = true;
    if (!this.#cutter.stopped) this.#abandon();
  }

  #abandon(): void {
    this.#cutter.abandon();
    this.#giveBack();
  }

  #giveBack(): void {
    this.#shared.room.give(this.#collectedBytes);
    this.#collectedBytes = 0;
  }

  /** Calls back once nothing waits here any more. */
  whenIdle(then: () => void): void {
    if (this.#cutter.stopped) this.#waitingForIdle = then;
    else then();
  }

  /** Answers of our own whose turn has come. */
  flushAnswers(): void {
    if (this.#current !== undefined || this.#cutter.stopped || this.#mute) return;
    for (let first = this.#pending.first; first !== undefined; first = this.#pending.first) {
      const answer = first.plans.find((plan) => plan.do === 'answer');
      if (answer === undefined) return;
      this.#pending.shift();
      this.#link.write(answer.frame);
    }
    this.#link.settled();
  }

  begin(start: Buffer, size: number, flush: () => void): Route {
    if (start.length < RESPONSE_PREFIX) return 'more';
    const owed = this.#pending.advanceTo(start.readInt32BE(4));
    this.#current = owed === undefined ? undefined : this.#pending.first;
    if (this.#mute) return 'drop';
    if (owed !== undefined && owed.length > 0) flush();
    for (const answer of owed ?? []) this.#link.write(answer);
    return this.#current === undefined ? 'pass' : this.#follow(this.#current, size);
  }

  /** The next thing to do with a response; a delay is done once and then crossed off. */
  #follow(reply: PendingReply, size: number): Route {
    const plan = reply.plans[0];
    switch (plan?.do) {
      case 'delay':
        reply.plans.shift();
        this.#later(plan.ms);
        return 'stop';
      case 'lose':
        this.#mute = true;
        return 'drop';
      case 'disconnect':
        this.#link.cut();
        return 'drop';
      case 'swallow':
        return 'drop';
      case 'alter': {
        const fits = size <= ALTERED_MAX && this.#shared.room.take(size);
        if (!fits) this.#shared.counts.unread++;
        this.#collectedBytes = fits ? size : 0;
        return fits ? 'collect' : 'pass';
      }
      default:
        return 'pass';
    }
  }

  #later(ms: number): void {
    this.#current = undefined;
    void this.#shared.waiting.for(ms).then(() => {
      this.#cutter.go();
      if (this.#cutter.stopped) return;
      if (this.#gone) this.#abandon();
      if (!this.#isFull) this.#link.resume();
      this.#waitingForIdle?.();
    });
  }

  pass(bytes: Buffer): void {
    this.#link.write(bytes);
  }

  collected(frame: Buffer): boolean {
    this.#giveBack();
    const reply = this.#current as PendingReply;
    let altered: Uint8Array = frame;
    for (const plan of reply.plans) altered = alteredBy(plan, altered, reply);
    this.#link.write(altered);
    return this.#link.flushed();
  }

  ended(flush: () => void): void {
    if (this.#current !== undefined) {
      this.#current = undefined;
      this.#pending.shift();
    }
    if (this.#pending.first?.plans.some((plan) => plan.do === 'answer') === true) {
      flush();
      this.flushAnswers();
    }
    if (this.#pending.size === 0) this.#link.settled();
  }
}

function alteredBy(plan: ReplyPlan, frame: Uint8Array, reply: PendingReply): Uint8Array {
  if (plan.do !== 'alter') return frame;
  return plan.alter(Buffer.from(frame.buffer, frame.byteOffset, frame.length), reply.head) ?? frame;
}
