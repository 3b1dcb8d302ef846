import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { readFrom, type ReadSocket } from './intake.ts';
import { PendingReplies } from './pending.ts';
import { ReplySide } from './reply-side.ts';
import { RequestSide } from './request-side.ts';
import type { ProxyShared } from './shared.ts';

/** The first byte of TLS (RFC 8446, 5.1: a handshake record); Kafka's first is a size's high byte. */
const TLS_HANDSHAKE = 0x16;
/** How long what was asked may still be answered once the client is gone. */
const LINGER_MS = 5_000;

/**
 * One client's connection and the one to the broker that belongs to it. Neither side is read faster
 * than the other writes. When the client goes, what it has sent still reaches the broker.
 */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #broker: Socket;
  readonly #shared: ProxyShared;
  readonly #requests: RequestSide;
  readonly #replies: ReplySide;
  readonly #pending = new PendingReplies();
  #first = true;
  #clientGone = false;

  /** @param askBroker opens one more connection to the same broker, for questions of our own. */
  constructor(near: ReadSocket, far: ReadSocket, shared: ProxyShared, askBroker: () => Socket) {
    const client = near.socket;
    const broker = far.socket;
    this.#client = client;
    this.#broker = broker;
    this.#shared = shared;
    const cut = (): void => this.close();
    const settled = (): void => this.#settle();
    const writeClient = (bytes: Uint8Array): void => this.#toClient(bytes);
    this.#replies = new ReplySide(this.#pending, shared, {
      write: writeClient,
      flushed: () => client.writableLength === 0,
      pause: () => broker.pause(),
      resume: () => broker.resume(),
      cut,
      settled,
    });
    this.#requests = new RequestSide(this.#pending, shared, {
      write: (bytes) => this.#toBroker(bytes),
      flushed: () => broker.writableLength === 0,
      pause: () => client.pause(),
      resume: () => client.resume(),
      cut,
      settled,
      askBroker,
      answered: () => this.#replies.flushAnswers(),
    });
    shared.counts.connections++;
    this.#listen();
    readFrom(near, (chunk) => this.#fromClient(chunk));
    readFrom(far, (chunk) => this.#fromBroker(chunk));
  }

  /** Ends both sides at once; the client sees a reset. */
  close(): void {
    reset(this.#client);
    this.#broker.destroy();
  }

  #listen(): void {
    const client = this.#client;
    const broker = this.#broker;
    client.on('drain', () => this.#replies.writable());
    broker.on('drain', () => this.#requests.writable());
    // 'close' follows every error, and says the rest.
    client.on('error', () => undefined);
    broker.on('error', () => undefined);
    client.on('end', () => this.#clientEnded());
    client.on('close', () => {
      this.#requests.sourceGone();
      this.#clientEnded();
    });
    broker.on('end', () => {
      this.#replies.whenIdle(() => client.end());
    });
    broker.on('close', (failed) => {
      this.#replies.sourceGone();
      if (failed) reset(client);
      else this.#replies.whenIdle(() => client.destroySoon());
    });
  }

  /** @returns whether nobody needs the chunk by the time the client is read again. */
  #fromClient(chunk: Buffer): boolean {
    if (this.#first) {
      this.#first = false;
      if (chunk[0] === TLS_HANDSHAKE) this.#goBlind();
      if (this.#client.destroyed) return true;
    }
    this.#requests.push(chunk);
    return this.#requests.isFull || this.#broker.writableLength === 0;
  }

  #fromBroker(chunk: Buffer): boolean {
    this.#replies.push(chunk);
    return this.#replies.isFull || this.#client.writableLength === 0;
  }

  /** TLS that passes through: only rules about connections apply. */
  #goBlind(): void {
    this.#shared.counts.tls++;
    this.#requests.blind();
    this.#replies.blind();
    if (this.#shared.rules.decideBlind()) this.close();
  }

  #toBroker(bytes: Uint8Array): void {
    if (this.#broker.destroyed || this.#broker.writableEnded) return;
    if (!this.#broker.write(bytes) && this.#broker.writableLength > 0) this.#requests.full();
  }

  #toClient(bytes: Uint8Array): void {
    if (this.#client.destroyed || this.#client.writableEnded) return;
    if (!this.#client.write(bytes) && this.#client.writableLength > 0) this.#replies.full();
  }

  #clientEnded(): void {
    if (this.#clientGone) return;
    this.#clientGone = true;
    this.#settle();
  }

  /** Once the client is gone: the broker is told when all is with it, and answered or late. */
  #settle(): void {
    if (!this.#clientGone || this.#broker.destroyed || !this.#requests.idle) return;
    if (this.#client.destroyed) this.#replies.writable();
    // A broker that has ended answers nothing more.
    if (this.#pending.size === 0 || this.#broker.readableEnded) {
      this.#broker.end();
      return;
    }
    setTimeout(() => this.#broker.destroy(), LINGER_MS).unref();
  }
}

/** By RST where there is no TLS in between: Node knows no other way to end that at once. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
