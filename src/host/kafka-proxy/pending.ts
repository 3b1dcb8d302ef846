import type { RequestHead } from '../../core/codec/kafka/frame.ts';

/** What happens to a response on its way back. */
export type ReplyPlan =
  | { do: 'delay'; ms: number }
  | { do: 'lose' }
  | { do: 'disconnect' }
  | { do: 'swallow' }
  /** Read whole and written anew; undefined leaves it as it was. */
  | { do: 'alter'; alter: (frame: Buffer, head: RequestHead) => Uint8Array | undefined }
  /** The broker never saw the request: this is its answer, in its turn. */
  | { do: 'answer'; frame: Uint8Array };

export interface PendingReply {
  head: RequestHead;
  plans: ReplyPlan[];
}

/** More than any client has in flight; what is older and plain was never going to be answered. */
const PENDING_MAX = 10_000;

/**
 * Requests of one connection that wait for a response, in order: Kafka answers a connection's requests
 * in the order in which they came. Some are never answered (acks=0); they are passed over when a later
 * one is.
 */
export class PendingReplies {
  #queue: PendingReply[] = [];
  #from = 0;

  get size(): number {
    return this.#queue.length - this.#from;
  }

  add(reply: PendingReply): void {
    this.#queue.push(reply);
    if (this.size > PENDING_MAX && this.first?.plans.length === 0) this.shift();
  }

  get first(): PendingReply | undefined {
    return this.#queue[this.#from];
  }

  shift(): void {
    this.#from++;
    if (this.#from < 64) return;
    this.#queue = this.#queue.slice(this.#from);
    this.#from = 0;
  }

  /**
   * Makes the request of this id the first, if the broker may answer it now.
   * @returns answers of our own that stand before it and are still owed; undefined: no such request.
   */
  advanceTo(correlationId: number): Uint8Array[] | undefined {
    const owed: Uint8Array[] = [];
    for (let index = this.#from; index < this.#queue.length; index++) {
      const reply = this.#queue[index] as PendingReply;
      const own = reply.plans.find((plan) => plan.do === 'answer');
      if (own !== undefined) owed.push(own.frame);
      else if (reply.head.correlationId === correlationId) {
        this.#from = index;
        return owed;
      }
    }
    return undefined;
  }
}
