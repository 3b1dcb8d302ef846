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
import type { ProxyShared } from './connection.ts';
import { FrameCutter, type FrameSink, type Route } from './frame-cutter.ts';
import type { PendingReplies, ReplyPlan } from './pending.ts';
import type { SideLink } from './reply-side.ts';

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
export class RequestSide implements FrameSink {
  readonly #pending: PendingReplies;
  readonly #shared: ProxyShared;
  readonly #link: RequestLink;
  readonly #cutter: FrameCutter;
  #head: RequestHead | undefined;
  #taken = 0;
  #working = false;
  #isFull = false;
  #gone = false;

  constructor(pending: PendingReplies, shared: ProxyShared, link: RequestLink) {
    this.#pending = pending;
    this.#shared = shared;
    this.#link = link;
    this.#cutter = new FrameCutter(this);
  }

  /** Whether nothing that came still has to go. */
  get idle(): boolean {
    return !this.#working && !this.#cutter.stopped;
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

  /** The client is gone for good: what a half frame of its was given room for is free again. */
  sourceGone(): void {
    this.#gone = true;
    if (this.idle) this.#abandon();
  }

  #abandon(): void {
    this.#cutter.abandon();
    this.#giveBack();
  }

  #giveBack(): void {
    this.#shared.room.give(this.#taken);
    this.#taken = 0;
  }

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
    this.#shared.counts.requests++;
    if (!this.#shared.rules.concerns(head)) {
      if (!producesSilently(start, head)) this.#expect(head, []);
      return 'pass';
    }
    if (size <= READ_MAX && this.#shared.room.take(size)) {
      this.#head = head;
      this.#taken = size;
      return 'collect';
    }
    this.#shared.counts.unread++;
    if (!producesSilently(start, head)) this.#expect(head, []);
    return 'pass';
  }

  pass(bytes: Buffer): void {
    this.#link.write(bytes);
  }

  ended(): void {
    // The next frame decides for itself.
  }

  collected(frame: Buffer): boolean {
    this.#take(frame);
    return !this.#working && this.#link.flushed();
  }

  #take(frame: Buffer): void {
    const head = this.#head as RequestHead;
    const body = this.#body(frame, head);
    const facts = body === undefined ? undefined : factsOf(head, body);
    const unnamed =
      facts !== undefined && this.#shared.rules.asksTopics(head)
        ? nameTopics(facts, this.#shared.names.known)
        : [];
    if (unnamed.length === 0) return this.#decide(frame, head, body, facts);
    this.#working = true;
    this.#cutter.stop();
    void this.#shared.names
      .ask(() => this.#link.askBroker())
      .then(() => {
        if (facts !== undefined) nameTopics(facts, this.#shared.names.known);
        this.#working = false;
        this.#decide(frame, head, body, facts);
        if (!this.#working) this.#goOn();
      });
  }

  #body(frame: Buffer, head: RequestHead): Struct | undefined {
    if (!this.#shared.rules.needsBody(head)) return undefined;
    try {
      const body = readRequestBody(frame, head);
      if (body === undefined) this.#shared.counts.unread++;
      return body;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#shared.counts.unread++;
      return undefined;
    }
  }

  #decide(
    frame: Buffer,
    head: RequestHead,
    body: Struct | undefined,
    facts: RequestFacts | undefined,
  ): void {
    const verdict = this.#shared.rules.decide(head, facts);
    if (verdict?.action.do === 'hold' || verdict?.action.do === 'delayBefore') {
      return this.#hold(frame, head, verdict.action.ms);
    }
    this.#giveBack();
    this.#carryOut(frame, head, body, verdict);
  }

  #carryOut(
    frame: Buffer,
    head: RequestHead,
    body: Struct | undefined,
    verdict: Verdict | undefined,
  ): void {
    const silent = producesSilently(frame, head);
    const plan = verdict === undefined ? undefined : planFor(verdict, head, body, silent);
    if (plan === 'disconnect') return this.#link.cut();
    if (plan?.answer !== undefined) {
      this.#pending.add({ head, plans: [{ do: 'answer', frame: plan.answer }] });
      return this.#link.answered();
    }
    if (!silent) this.#expect(head, plan?.reply === undefined ? [] : [plan.reply]);
    this.#link.write(frame);
    if (plan?.twice !== true) return;
    if (!silent) this.#pending.add({ head, plans: [{ do: 'swallow' }] });
    this.#link.write(frame);
  }

  /** Keeps one request, and so all after it, from the broker for a while. */
  #hold(frame: Buffer, head: RequestHead, ms: number): void {
    this.#working = true;
    this.#cutter.stop();
    void this.#shared.waiting.for(ms).then(() => {
      this.#giveBack();
      this.#working = false;
      this.#carryOut(frame, head, undefined, undefined);
      this.#goOn();
    });
  }

  #goOn(): void {
    this.#cutter.go();
    if (this.#cutter.stopped) return;
    if (this.#gone) this.#abandon();
    if (!this.#isFull) this.#link.resume();
    this.#link.settled();
  }

  #expect(head: RequestHead, plans: ReplyPlan[]): void {
    const learn = learning(head, this.#shared.names);
    if (learn !== undefined) plans.push({ do: 'alter', alter: learn });
    const rewrite = this.#shared.rewrite?.(head);
    if (rewrite !== undefined) plans.push({ do: 'alter', alter: rewrite });
    this.#pending.add({ head, plans });
  }
}
