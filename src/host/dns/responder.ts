import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket as Stream } from 'node:net';
import { tmpdir } from 'node:os';
import { isListed, readQuery, writeReply } from '../../core/codec/dns.ts';
import { redirectionOf, type DnsOrders } from '../../core/model/act-dns.ts';
import { Iptables } from '../linux/iptables.ts';
import { boottimeMs } from '../linux/libc.ts';
import { Nft } from '../linux/nft.ts';
import { Redirects, type Through } from '../linux/redirects.ts';

const RENEW_MS = 1_000;
const FORWARD_MS = 5_000;
const STREAM_MAX = 65_537;
const TRIES = 20;

const isIpv6 = (address: string): boolean => address.includes(':');

/** Answers the queries of this node for a fault; passes those it is not about on. Ends by itself. */
export class DnsResponder {
  readonly #orders: DnsOrders;
  readonly #redirects: Redirects;
  #renewedMs = boottimeMs();

  constructor(orders: DnsOrders & Through) {
    this.#orders = orders;
    const scratchDir = tmpdir();
    const iptables = new Iptables(scratchDir, orders.iptables);
    this.#redirects = new Redirects(new Nft(scratchDir), iptables);
  }

  /** Listens, and redirects once it is still wanted. @throws Failure */
  async start(wanted: () => Promise<void>): Promise<void> {
    const port = await this.#listen();
    await wanted();
    await this.#redirects.make(redirectionOf(this.#orders), port);
    process.on('SIGCONT', () => (this.#renewedMs = boottimeMs()));
    process.on('SIGTERM', () => process.exit(0));
    setInterval(() => void this.#renew(), RENEW_MS);
  }

  /** Nobody has asked for us, or the table is gone: there is nothing more to do. */
  async #renew(): Promise<void> {
    const { backend, table, timeoutMs } = this.#orders;
    try {
      if (boottimeMs() - this.#renewedMs < timeoutMs)
        return await this.#redirects.renew(redirectionOf(this.#orders));
    } catch {
      // Expired while we were stopped, or taken away: what has ended must not come back.
    }
    await this.#redirects.remove(backend, table).finally(() => process.exit(0));
  }

  /** One port for both protocols and families, on loopback. */
  async #listen(): Promise<number> {
    for (let tries = 1; ; tries++) {
      const opened: { close(): unknown }[] = [];
      try {
        const first = this.#udp('127.0.0.1', opened);
        first.bind(0, '127.0.0.1');
        await once(first, 'listening');
        const { port } = first.address();
        const second = this.#udp('::1', opened);
        second.bind(port, '::1');
        await once(second, 'listening');
        for (const host of ['127.0.0.1', '::1']) {
          const server = createServer((stream) => this.#serve(stream));
          opened.push(server);
          await once(server.listen(port, host), 'listening');
          // No descriptor left for one who asks: he asks again, and others go on being answered.
          server.on('error', () => undefined);
        }
        return port;
      } catch (error) {
        // Another family or protocol of that port is somebody else's.
        for (const each of opened) each.close();
        if (tries === TRIES) throw error;
      }
    }
  }

  #udp(host: string, opened: { close(): unknown }[]): Socket {
    const socket = createSocket(isIpv6(host) ? 'udp6' : 'udp4');
    opened.push(socket);
    socket.on('message', (message, from) => {
      void this.#answer(message, forwardUdp).then((reply) => {
        if (reply) socket.send(reply, from.port, from.address);
      });
    });
    return socket;
  }

  /** Messages with their length before them (RFC 1035 section 4.2.2). */
  #serve(stream: Stream): void {
    let waiting: Buffer = Buffer.alloc(0);
    stream.on('error', () => stream.destroy());
    stream.on('data', (data: Buffer) => {
      waiting = Buffer.concat([waiting, data]);
      if (waiting.length > STREAM_MAX) return void stream.destroy();
      while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
        const message = waiting.subarray(2, 2 + waiting.readUInt16BE(0));
        waiting = waiting.subarray(2 + message.length);
        void this.#answer(message, forwardTcp).then((reply) => {
          if (reply && stream.writable) stream.write(framed(reply));
        });
      }
    });
  }

  async #answer(message: Buffer, forward: Forward): Promise<Uint8Array | undefined> {
    const question = readQuery(message);
    const { names, answer, resolvers } = this.#orders;
    if (question && isListed(names, question.name)) return writeReply(message, question, answer);
    for (const resolver of resolvers) {
      const reply = await forward(message, resolver);
      if (reply) return reply;
    }
    return undefined;
  }
}

function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Asks a real resolver. @returns undefined where it does not answer. */
type Forward = (message: Buffer, resolver: string) => Promise<Buffer | undefined>;

export const forwardUdp: Forward = (message, resolver) =>
  new Promise((resolve) => {
    const socket = createSocket(isIpv6(resolver) ? 'udp6' : 'udp4');
    let isOver = false;
    const end = (reply?: Buffer): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.removeAllListeners().close();
      resolve(reply);
    };
    const timer = setTimeout(() => end(), FORWARD_MS);
    // Without a callback nobody is told that it was refused, as by a fault's own rules.
    const send = (): void => socket.send(message, (error) => (error ? end() : undefined));
    socket.on('error', () => end()).on('message', (reply) => end(reply));
    // Also called where there is no way there (a network that is cut): then with the error.
    socket.connect(53, resolver, (error?: Error) => (error ? end() : send()));
  });

const forwardTcp: Forward = (message, resolver) =>
  new Promise((resolve) => {
    const stream = connect(53, resolver, () => stream.write(framed(message)));
    let waiting: Buffer = Buffer.alloc(0);
    const end = (reply?: Buffer): void => {
      stream.destroy();
      resolve(reply);
    };
    stream.setTimeout(FORWARD_MS, () => end()).on('error', () => end());
    stream
      .on('close', () => end())
      .on('data', (data: Buffer) => {
        waiting = Buffer.concat([waiting, data]);
        if (waiting.length < 2 || waiting.length < 2 + waiting.readUInt16BE(0)) return;
        end(waiting.subarray(2, 2 + waiting.readUInt16BE(0)));
      });
  });
