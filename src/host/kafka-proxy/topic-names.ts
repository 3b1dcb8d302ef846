import { writeRequest, readResponse, type RequestHead } from '../../core/codec/kafka/frame.ts';
import { topicNames } from '../../core/codec/kafka/rewrite.ts';
import type { Socket } from 'node:net';

const METADATA = 3;
const ASK_MS = 2_000;
const AGAIN_MS = 1_000;
const ANSWER_MAX = 16 * 1024 * 1024;

/** Metadata v12 of all topics, asked by ourselves: later requests name topics by id alone (KIP-516). */
const QUESTION: RequestHead = {
  apiKey: METADATA,
  version: 12,
  correlationId: 1,
  clientId: 'faultline-proxy',
  bodyAt: 0,
};

/** Names of topics by id: learned from Metadata that passes by, else asked of a broker. */
export class TopicNames {
  readonly #names = new Map<string, string>();
  #asking: Promise<void> | undefined;
  #askedAt = -Infinity;

  get known(): ReadonlyMap<string, string> {
    return this.#names;
  }

  learn(names: ReadonlyMap<string, string>): void {
    for (const [id, name] of names) this.#names.set(id, name);
  }

  /** Asks a broker, at most once a second; a silent one (TLS, SASL) leaves the topics without names. */
  async ask(connect: () => Socket): Promise<void> {
    if (this.#asking === undefined && performance.now() - this.#askedAt > AGAIN_MS) {
      this.#askedAt = performance.now();
      this.#asking = this.#askOnce(connect).finally(() => (this.#asking = undefined));
    }
    await this.#asking;
  }

  #askOnce(connect: () => Socket): Promise<void> {
    return new Promise((resolve) => {
      let socket: Socket;
      try {
        socket = connect();
      } catch {
        // The broker is down, or we have no descriptor left: nothing is learned.
        return resolve();
      }
      const timer = setTimeout(() => socket.destroy(), ASK_MS);
      let answer: Buffer = Buffer.alloc(0);
      socket.on('error', () => undefined); // 'close' follows; without an answer nothing is learned.
      socket.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.on('data', (chunk) => {
        answer = Buffer.concat([answer, chunk]);
        const size = answer.length >= 4 ? answer.readInt32BE() + 4 : ANSWER_MAX;
        if (answer.length < size && size <= ANSWER_MAX) return;
        try {
          this.learn(topicNames(readResponse(answer.subarray(0, size), QUESTION)));
        } catch {
          // No Kafka answers there in the clear, or not this version: nothing is learned.
        }
        socket.destroy();
      });
      socket.write(writeRequest(QUESTION, { topics: null, allowAutoTopicCreation: false }));
    });
  }
}
