import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { until } from './until.ts';

/** A client that writes bytes and keeps the frames that come back. */
export class RawClient {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  readonly frames: Buffer[] = [];
  closed = false;
  error: string | undefined;

  constructor(port: number, host = '127.0.0.1', tls = false) {
    const address = { port, host };
    this.#socket = tls ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
    this.#socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code));
    this.#socket.on('close', () => (this.closed = true));
    this.#socket.on('data', (chunk) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      while (this.#rest.length >= 4 && this.#rest.length >= this.#rest.readInt32BE() + 4) {
        const size = this.#rest.readInt32BE() + 4;
        this.frames.push(this.#rest.subarray(0, size));
        this.#rest = this.#rest.subarray(size);
      }
    });
  }

  async opened(): Promise<this> {
    if (this.#socket.connecting) await once(this.#socket, 'connect');
    return this;
  }

  send(...parts: Uint8Array[]): void {
    this.#socket.write(Buffer.concat(parts));
  }

  /** Correlation ids of the answers so far. */
  get answered(): number[] {
    return this.frames.map((frame) => frame.readInt32BE(4));
  }

  /** Waits for so many answers, or for the end of the connection. */
  async answers(count: number): Promise<number[]> {
    await until(`${count} answers`, () => this.frames.length >= count || this.closed);
    return this.answered;
  }

  async ended(): Promise<void> {
    await until('the connection ends', () => this.closed);
  }

  close(): void {
    this.#socket.destroy();
  }
}
