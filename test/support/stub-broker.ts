import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { CodecError } from '../../src/core/codec/kafka/bytes.ts';
import { readRequestHead, type RequestHead } from '../../src/core/codec/kafka/frame.ts';

/** A request as the stub got it. */
export interface StubRequest {
  head: RequestHead;
  frame: Buffer;
}

/**
 * Speaks Kafka's framing and nothing else: every request is answered with its correlation id and the
 * bytes of its frame after the head, in order, unless `answer` says otherwise.
 */
export class StubBroker {
  readonly requests: StubRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** A whole response frame; null: none. */
  answer: ((request: StubRequest) => Buffer | null) | undefined;

  /** @param tls certificate and key, PEM: it then speaks TLS. */
  constructor(tls?: { cert: Buffer; key: Buffer }) {
    const serve = (socket: Socket): void => this.#serve(socket);
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  }

  async listen(host = '127.0.0.1', port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, host, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= rest.readInt32BE() + 4) {
        const frame = rest.subarray(0, rest.readInt32BE() + 4);
        rest = rest.subarray(frame.length);
        const request = readOne(frame);
        if (request === undefined) return socket.destroy();
        this.requests.push(request);
        const answer = this.answer ? this.answer(request) : echo(request);
        if (answer !== null) socket.write(answer);
      }
    });
  }

  /** Ends every connection. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** As Kafka does, a broker hangs up on what is no request. */
function readOne(frame: Buffer): StubRequest | undefined {
  try {
    return { head: readRequestHead(frame), frame };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return undefined;
  }
}

/** A response that carries all of its request. */
export function echo({ head, frame }: StubRequest): Buffer {
  const body = frame.subarray(4);
  const answer = Buffer.alloc(8 + body.length);
  answer.writeInt32BE(4 + body.length, 0);
  answer.writeInt32BE(head.correlationId, 4);
  body.copy(answer, 8);
  return answer;
}
