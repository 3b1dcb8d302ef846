import type { WebSocket } from 'ws';
import type { Failure } from '../../core/base/failure.ts';
import type { LinkFrame } from '../../core/model/link.ts';
import type { AgentAnswer } from './api.ts';

/** An answer, and when it was there, on CLOCK_BOOTTIME in ms. */
export interface TimedAnswer extends AgentAnswer {
  atMs: number;
}

interface Waiting {
  resolve: (answer: TimedAnswer) => void;
  reject: (failure: Failure) => void;
  timer: NodeJS.Timeout;
}

/** Requests over a link that wait for their answers. */
export class LinkRequests {
  readonly #fail: (code: string, reason: string) => Failure;
  readonly #waiting = new Map<number, Waiting>();
  #seq = 0;

  /** @param fail a failure that names the agent. */
  constructor(fail: (code: string, reason: string) => Failure) {
    this.#fail = fail;
  }

  /** @throws Failure `agent-unreachable`, `timeout`: it may have happened. */
  send(
    socket: WebSocket | undefined,
    request: { method: string; path: string; body?: unknown },
    timeoutMs: number,
    whyNot: string,
  ): Promise<TimedAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<TimedAnswer>();
    if (socket === undefined || socket.readyState !== socket.OPEN) {
      reject(this.#fail('agent-unreachable', whyNot));
      return promise;
    }
    this.#seq += 1;
    const seq = this.#seq;
    const { method, path, body } = request;
    const timer = setTimeout(() => {
      this.#waiting.delete(seq);
      reject(this.#fail('timeout', `no answer to ${method} ${path} in ${timeoutMs} ms`));
    }, timeoutMs);
    this.#waiting.set(seq, { resolve, reject, timer });
    const frame: LinkFrame = { frame: 'request', seq, method, path };
    if (body !== undefined) frame.body = body;
    socket.send(JSON.stringify(frame));
    return promise;
  }

  answered(frame: Extract<LinkFrame, { frame: 'answer' }>, atMs: number): void {
    const waiting = this.#waiting.get(frame.seq);
    this.#waiting.delete(frame.seq);
    clearTimeout(waiting?.timer);
    waiting?.resolve({ status: frame.status, body: frame.body, atMs });
  }

  /** The link is gone: nobody will answer any more. */
  lost(reason: string): void {
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(this.#fail('agent-unreachable', reason));
    }
    this.#waiting.clear();
  }
}
