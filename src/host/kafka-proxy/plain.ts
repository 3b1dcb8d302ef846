import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { reasonOf } from '../../core/base/failure.ts';
import { knowsResponse, type RequestHead } from '../../core/codec/kafka/frame.ts';
import {
  capVersions,
  NAMES_BROKERS,
  rewriteAddresses,
  type NamedBroker,
} from '../../core/codec/kafka/rewrite.ts';
import type { RuleSet } from '../../core/proxy/decide.ts';
import type { ProxyCounts } from '../../core/model/query-proxy.ts';
import type { Address } from '../kafka/broker-connection.ts';
import { altering } from './actions.ts';
import { ProxiedConnection } from './connection.ts';
import { Intake } from './intake.ts';
import { sharedState, type ProxyShared } from './shared.ts';
import { adopt, BUFFERED } from './sockets.ts';

const API_VERSIONS = 18;
/** Ports above the first that brokers get by their node id; those with higher ids stand behind them. */
const IDS_MAX = 1_000;
const PORT_MAX = 65_535;

export interface PlainOptions {
  listen: Address;
  /** What clients are told in place of the brokers' hosts. */
  advertise: string;
  bootstrap: readonly Address[];
  rules: RuleSet;
  /** Called when a broker gets a port of its own. */
  said: (line: string) => void;
}

interface Front {
  server: Server;
  port: number;
}

/**
 * A proxy that needs no root: clients are pointed at it, and every address in a response is changed to
 * one of its own, so that they stay. One port for the bootstrap, one more for each broker it hears of.
 */
export class PlainProxy {
  readonly #options: PlainOptions;
  readonly #shared: ProxyShared;
  readonly #open = new Set<ProxiedConnection>();
  /** By 'host:port' of the broker. */
  readonly #fronts = new Map<string, Front>();
  /** Brokers that no port is left for. */
  readonly #without = new Set<string>();
  #entrance: Server | undefined;
  #next = 0;
  #others = 0;

  constructor(options: PlainOptions) {
    this.#options = options;
    this.#shared = sharedState(options.rules);
    this.#shared.rewrite = (head) => this.#rewriting(head);
  }

  get counts(): ProxyCounts {
    return { ...this.#shared.counts, rules: this.#shared.rules.counts };
  }

  /** @returns the port that it listens on. @throws what listening throws (EADDRINUSE). */
  async start(): Promise<number> {
    const { host, port } = this.#options.listen;
    this.#entrance = this.#serve(() => this.#firstBroker());
    await listening(this.#entrance, host, port);
    const bound = (this.#entrance.address() as AddressInfo).port;
    this.#options.listen = { host, port: bound };
    return bound;
  }

  close(): void {
    for (const { server } of this.#fronts.values()) server.close();
    this.#entrance?.close();
    this.#shared.waiting.release();
    for (const connection of this.#open) connection.close();
  }

  #serve(broker: () => Address): Server {
    const options = { ...BUFFERED, allowHalfOpen: true, pauseOnConnect: true };
    return createServer(options, (accepted) => {
      const dial = (more = {}): Socket =>
        connect({ ...BUFFERED, ...broker(), ...more, allowHalfOpen: true });
      const near = adopt(accepted);
      const intake = new Intake();
      const far = { socket: dial({ onread: intake.onread }), intake };
      const connection = new ProxiedConnection(near, far, this.#shared, dial);
      this.#open.add(connection);
      near.socket.on('close', () => this.#open.delete(connection));
    });
  }

  /** Bootstrap addresses in turn: a dead one costs a client one attempt. */
  #firstBroker(): Address {
    const { bootstrap } = this.#options;
    return bootstrap[this.#next++ % bootstrap.length] as Address;
  }

  #rewriting(head: RequestHead): ((frame: Buffer) => Uint8Array | undefined) | undefined {
    if (!knowsResponse(head)) return undefined;
    if (head.apiKey === API_VERSIONS) {
      const cap = altering(capVersions);
      return (frame) => cap(frame, head);
    }
    if (!NAMES_BROKERS.includes(head.apiKey)) return undefined;
    const move = altering((body) => rewriteAddresses(body, (broker) => this.#frontOf(broker)));
    return (frame) => move(frame, head);
  }

  /** The address that stands for a broker; its port is opened on the way. None: no port is left. */
  #frontOf(broker: NamedBroker): Address | undefined {
    const key = `${broker.host}:${broker.port}`;
    const known = this.#fronts.get(key);
    if (known) return { host: this.#options.advertise, port: known.port };
    const { host, port } = this.#options.listen;
    const byId = broker.id >= 0 && broker.id < IDS_MAX;
    const above = port + 1 + (byId ? broker.id : IDS_MAX + this.#others);
    if (above > PORT_MAX) {
      const says = `no port above ${port} is left for ${key}: clients go there past this proxy`;
      if (!this.#without.has(key)) this.#options.said(`${says}; --listen on a lower one`);
      this.#without.add(key);
      return undefined;
    }
    if (!byId) this.#others++;
    const address = { host: broker.host, port: broker.port };
    const front = { server: this.#serve(() => address), port: above };
    const { server } = front;
    this.#fronts.set(key, front);
    server.on('error', (error) => {
      this.#options.said(`port ${front.port} can't stand for ${key}: ${reasonOf(error)}`);
    });
    server.listen(front.port, host);
    this.#options.said(`${this.#options.advertise}:${front.port} is ${key}`);
    return { host: this.#options.advertise, port: front.port };
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
