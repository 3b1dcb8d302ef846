import type { Socket } from 'node:net';
import { CodecError } from '../../core/codec/kafka/bytes.ts';
import {
  readRequestBody,
  readRequestHead,
  type RequestHead,
} from '../../core/codec/kafka/frame.ts';
import type { Struct } from '../../core/codec/kafka/value.ts';
import type { Verdict } from '../../core/proxy/decide.ts';
import { factsOf, nameTopics, type RequestFacts } from '../../core/proxy/request-facts.ts';
import { learning, planFor, producesSilently } from './actions.ts';
import type { Route } from './frame-cutter.ts';
import type { ReplyPlan } from './pending.ts';
import { Side, type SideLink } from './side.ts';

interface RequestLink extends SideLink {
  askBroker(): Socket;
  /** An answer of our own stands among the pending. */
  answered(): void;
}

/** Larger requests pass unread: a broker takes no larger ones unless it is told to (1 MB and 100 MB). */
const READ_MAX = 16 * 1024 * 1024;
/** Enough of a frame for its head and, of a Produce, its acks. */
const START = 1_024;

/** From the client to the broker: each request as it came, unless a rule is about it. */
export class RequestSide extends Side<RequestLink> {
  #head: RequestHead | undefined;

  begin(start: Buffer, size: number): Route {
    if (start.length < Math.min(size, START)) return 'more';
    let head: RequestHead;
    try {
      head = readRequestHead(start);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      // Framed like Kafka and yet none of its requests (a SASL token of old): not ours to touch.
      return 'pass';
    }
    this.shared.counts.requests++;
    if (this.shared.rules.concerns(head) && this.takeRoom(size, READ_MAX)) {
      this.#head = head;
      return 'collect';
    }
    if (!producesSilently(start, head)) this.#expect(head, []);
    return 'pass';
  }

  ended(): void {
    // The next frame decides for itself.
  }

  collected(frame: Buffer): boolean {
    this.#take(frame);
    return this.idle && this.link.flushed();
  }

  #take(frame: Buffer): void {
    const head = this.#head as RequestHead;
    const body = this.#body(frame, head);
    const facts = body === undefined ? undefined : factsOf(head, body);
    const unnamed =
      facts !== undefined && this.shared.rules.asksTopics(head)
        ? nameTopics(facts, this.shared.names.known)
        : [];
    if (unnamed.length === 0) return void this.#decide(frame, head, body, facts);
    this.cutter.stop();
    void this.shared.names
      .ask(() => this.link.askBroker())
      .then(() => {
        if (facts !== undefined) nameTopics(facts, this.shared.names.known);
        if (this.#decide(frame, head, body, facts)) this.goOn();
      });
  }

  #body(frame: Buffer, head: RequestHead): Struct | undefined {
    if (!this.shared.rules.needsBody(head)) return undefined;
    try {
      const body = readRequestBody(frame, head);
      if (body === undefined) this.shared.counts.unread++;
      return body;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.shared.counts.unread++;
      return undefined;
    }
  }

  /** @returns false: it has to wait, and goes on by itself. */
  #decide(
    frame: Buffer,
    head: RequestHead,
    body: Struct | undefined,
    facts: RequestFacts | undefined,
  ): boolean {
    const verdict = this.shared.rules.decide(head, facts);
    if (verdict?.action.do === 'hold' || verdict?.action.do === 'delayBefore') {
      this.#hold(frame, head, verdict.action.ms);
      return false;
    }
    this.giveBack();
    this.#carryOut(frame, head, body, verdict);
    return true;
  }

  #carryOut(
    frame: Buffer,
    head: RequestHead,
    body: Struct | undefined,
    verdict: Verdict | undefined,
  ): void {
    const silent = producesSilently(frame, head);
    const plan = verdict === undefined ? undefined : planFor(verdict, head, body, silent);
    if (plan === 'disconnect') return this.link.cut();
    if (plan?.answer !== undefined) {
      this.pending.add({ head, plans: [{ do: 'answer', frame: plan.answer }] });
      return this.link.answered();
    }
    if (!silent) this.#expect(head, plan?.reply === undefined ? [] : [plan.reply]);
    this.link.write(frame);
    if (plan?.twice !== true) return;
    if (!silent) this.pending.add({ head, plans: [{ do: 'swallow' }] });
    this.link.write(frame);
  }

  /** Keeps one request, and so all after it, from the broker for a while. */
  #hold(frame: Buffer, head: RequestHead, ms: number): void {
    this.cutter.stop();
    void this.shared.waiting.for(ms).then(() => {
      this.giveBack();
      this.#carryOut(frame, head, undefined, undefined);
      this.goOn();
    });
  }

  #expect(head: RequestHead, plans: ReplyPlan[]): void {
    const learn = learning(head, this.shared.names);
    if (learn !== undefined) plans.push({ do: 'alter', alter: learn });
    const rewrite = this.shared.rewrite?.(head);
    if (rewrite !== undefined) plans.push({ do: 'alter', alter: rewrite });
    this.pending.add({ head, plans });
  }
}
