import { RESPONSE_PREFIX } from '../../core/codec/kafka/frame.ts';
import type { Route } from './frame-cutter.ts';
import type { PendingReply, ReplyPlan } from './pending.ts';
import { Side } from './side.ts';

/** Larger responses are not altered. */
const ALTERED_MAX = 64 * 1024 * 1024;

/** From the broker to the client: responses in their order, some late, altered or lost. */
export class ReplySide extends Side {
  #current: PendingReply | undefined;
  #mute = false;
  #waitingForIdle: (() => void) | undefined;

  /** Calls back once nothing waits here any more. */
  whenIdle(then: () => void): void {
    if (this.idle) then();
    else this.#waitingForIdle = then;
  }

  /** Answers of our own whose turn has come. */
  flushAnswers(): void {
    if (this.#current !== undefined || !this.idle || this.#mute) return;
    for (let first = this.pending.first; first !== undefined; first = this.pending.first) {
      const answer = first.plans.find((plan) => plan.do === 'answer');
      if (answer === undefined) return;
      this.pending.shift();
      this.link.write(answer.frame);
    }
    this.link.settled();
  }

  begin(start: Buffer, size: number, flush: () => void): Route {
    if (start.length < RESPONSE_PREFIX) return 'more';
    const owed = this.pending.advanceTo(start.readInt32BE(4));
    this.#current = owed === undefined ? undefined : this.pending.first;
    if (this.#mute) return 'drop';
    if (owed !== undefined && owed.length > 0) flush();
    for (const answer of owed ?? []) this.link.write(answer);
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
        this.link.cut();
        return 'drop';
      case 'swallow':
        return 'drop';
      case 'alter':
        return this.takeRoom(size, ALTERED_MAX) ? 'collect' : 'pass';
      default:
        return 'pass';
    }
  }

  #later(ms: number): void {
    this.#current = undefined;
    void this.shared.waiting.for(ms).then(() => {
      this.goOn();
      if (this.idle) this.#waitingForIdle?.();
    });
  }

  collected(frame: Buffer): boolean {
    this.giveBack();
    const reply = this.#current as PendingReply;
    let altered: Uint8Array = frame;
    for (const plan of reply.plans) altered = alteredBy(plan, altered, reply);
    this.link.write(altered);
    return this.link.flushed();
  }

  ended(flush: () => void): void {
    if (this.#current !== undefined) {
      this.#current = undefined;
      this.pending.shift();
    }
    if (this.pending.first?.plans.some((plan) => plan.do === 'answer') === true) {
      flush();
      this.flushAnswers();
    }
    if (this.pending.size === 0) this.link.settled();
  }
}

function alteredBy(plan: ReplyPlan, frame: Uint8Array, reply: PendingReply): Uint8Array {
  if (plan.do !== 'alter') return frame;
  return plan.alter(Buffer.from(frame.buffer, frame.byteOffset, frame.length), reply.head) ?? frame;
}
