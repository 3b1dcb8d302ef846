import { ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect as connectTls,
  createSecureContext,
  TLSSocket,
  type SecureContext,
} from 'node:tls';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { Random } from '../../core/base/random.ts';
import type { ProxyOrders, ProxyTls } from '../../core/model/act-proxy.ts';
import type { ProxyCounts } from '../../core/model/query-proxy.ts';
import { RuleSet } from '../../core/proxy/decide.ts';
import { Iptables } from '../linux/iptables.ts';
import { Nft } from '../linux/nft.ts';
import { Redirects, type Through } from '../linux/redirects.ts';
import { ProxiedConnection } from './connection.ts';
import { Intake, type ReadSocket } from './intake.ts';
import { resetConnections } from './reset.ts';
import { sharedState, type ProxyShared } from './shared.ts';
import {
  adopt,
  BUFFERED,
  connectMarked,
  originalDestination,
  type Destination,
} from './sockets.ts';

const RENEW_MS = 1_000;
const WRITE_MS = 100;
/** What was released may flow this long before its connections end. */
const FLOW_MS = 200;
/** Where the agent opens the file of our counters: see linux/kafka-proxy.ts. */
const COUNTS_FD = 3;

/** Read once: a connection that comes later is not kept waiting for a disk. @throws Failure */
function secureContextOf({ certificate, key }: ProxyTls): SecureContext {
  try {
    return createSecureContext({ cert: readFileSync(certificate), key: readFileSync(key) });
  } catch (error) {
    const message = `TLS can't be ended with ${certificate} and ${key}: ${reasonOf(error)}`;
    throw new Failure('bad-certificate', message, { definite: true });
  }
}

/** Listens on every address of this node, IPv6 too where there is IPv6. @returns the port. */
function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    };
    server.once('error', () => {
      server.once('error', reject);
      server.listen({ host: '0.0.0.0', port: 0 }, done);
    });
    server.listen({ host: '::', port: 0 }, done);
  });
}

/**
 * Joins a client to a broker of its own.
 * @throws what dialling throws, at once where the broker is down; the client's connection ends then.
 */
export function joined(
  near: ReadSocket,
  dial: (intake?: Intake) => Socket,
  shared: ProxyShared,
): ProxiedConnection {
  const intake = new Intake();
  let socket: Socket;
  try {
    socket = dial(intake);
  } catch (error) {
    near.socket.destroy();
    throw error;
  }
  return new ProxiedConnection(near, { socket, intake }, shared, () => dial());
}

/** A proxy in a node, from its orders to its end. */
export class NodeProxy {
  readonly #orders: ProxyOrders;
  readonly #shared: ProxyShared;
  readonly #redirects: Redirects;
  readonly #open = new Set<ProxiedConnection>();
  readonly #server: Server;
  readonly #secureContext: SecureContext | undefined;
  #endsAt: number;
  #written = '';
  #ending = false;

  /** @throws Failure 'bad-certificate' */
  constructor(orders: ProxyOrders & Through) {
    this.#orders = orders;
    const scratchDir = tmpdir();
    const iptables = new Iptables(scratchDir, orders.iptables);
    this.#redirects = new Redirects(new Nft(scratchDir), iptables);
    this.#secureContext = orders.tls && secureContextOf(orders.tls);
    this.#shared = sharedState(new RuleSet(orders.rules, new Random(BigInt(orders.seed))));
    this.#endsAt = performance.now() + orders.timeoutMs;
    const options = { ...BUFFERED, allowHalfOpen: true, pauseOnConnect: true };
    this.#server = createServer(options, (client) => this.#take(client));
  }

  /** Listens, and redirects once it is still wanted. @throws Failure */
  async start(wanted: () => Promise<void>): Promise<void> {
    const { redirect } = this.#orders;
    const port = await listen(this.#server);
    await wanted();
    await this.#redirects.make(redirect, port);
    const outside = await resetConnections(redirect.ports);
    if (outside !== undefined) this.#shared.counts.outside = outside;
    setInterval(() => void this.#renew(), RENEW_MS);
    setInterval(() => this.#writeCounts(), WRITE_MS);
    process.on('SIGCONT', () => (this.#endsAt = performance.now() + this.#orders.timeoutMs));
    process.on('SIGTERM', () => void this.#end());
    this.#writeCounts();
  }

  #take(client: Socket): void {
    const to = originalDestination(client);
    // Somebody who dialled the proxy itself: it has nowhere to go.
    if (to === undefined || !this.#orders.redirect.ports.includes(to.port)) {
      client.destroy();
      return;
    }
    const dial = (intake?: Intake): Socket => this.#dial(to, intake);
    try {
      const near = this.#secured(client);
      const connection = joined(near, dial, this.#shared);
      this.#open.add(connection);
      near.socket.on('close', () => this.#open.delete(connection));
    } catch (error) {
      console.error(`a connection was refused: ${reasonOf(error)}`);
      client.destroy();
    }
  }

  #secured(client: Socket): ReadSocket {
    const secureContext = this.#secureContext;
    if (secureContext === undefined) return adopt(client);
    return { socket: new TLSSocket(client, { isServer: true, secureContext }) };
  }

  /** @param intake how it is read, unless TLS reads it. */
  #dial(to: Destination, intake?: Intake): Socket {
    const { redirect, tls } = this.#orders;
    const socket = connectMarked(to, redirect.whose.mark, tls === undefined ? intake : undefined);
    socket.setNoDelay(true);
    if (tls === undefined) return socket;
    // The broker on this same node: what is to be proved by its certificate is proved by the address.
    return connectTls({ socket, rejectUnauthorized: false });
  }

  /** Keeps the kernel's elements alive while somebody wants us. Once they are gone, we go. */
  async #renew(): Promise<void> {
    if (this.#ending) return;
    if (performance.now() > this.#endsAt) return this.#end();
    try {
      await this.#redirects.renew(this.#orders.redirect);
    } catch (error) {
      console.error(`ending: ${reasonOf(error)}`);
      await this.#end();
    }
  }

  /** New connections go past us, what is held goes on, connections end, then the table, then we. */
  async #end(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    const { backend, table } = this.#orders.redirect;
    try {
      await this.#redirects.stop(backend, table);
    } catch (error) {
      console.error(`nothing is sent here any more: ${reasonOf(error)}`);
    }
    this.#server.close();
    this.#shared.waiting.release();
    await sleep(FLOW_MS);
    for (const connection of this.#open) connection.close();
    await sleep(FLOW_MS);
    try {
      await this.#redirects.remove(backend, table);
    } catch (error) {
      console.error(`the table stays: ${reasonOf(error)}`);
    }
    process.exit(0);
  }

  #writeCounts(): void {
    const counts: ProxyCounts = { ...this.#shared.counts, rules: this.#shared.rules.counts };
    const text = JSON.stringify(counts);
    if (text === this.#written) return;
    this.#written = text;
    // A line that ends: a reader that meets half of it reads again.
    const bytes = Buffer.from(`${text}\n`);
    try {
      writeSync(COUNTS_FD, bytes, 0, bytes.length, 0);
      ftruncateSync(COUNTS_FD, bytes.length);
    } catch (error) {
      // A full disk: what is counted is told later, and what is proxied goes on.
      this.#written = '';
      console.error(`the counts could not be written: ${reasonOf(error)}`);
    }
  }
}
