import type { BrokerConnection } from './broker-connection.ts';
import type { ClusterConnections } from './cluster-connections.ts';

/** A producer's connections: one a broker, opened when first wanted, and what is in flight on each. */
export class ProducerLinks {
  #connections: ClusterConnections;
  #retryBackoffMs: number;
  #failed: (error: unknown) => void;
  #inFlight = new Map<number, number>();
  #connecting = new Set<number>();
  #open = new Map<number, BrokerConnection>();

  /** @param failed told of every connection that could not be opened: no byte was sent on it */
  constructor(
    connections: ClusterConnections,
    retryBackoffMs: number,
    failed: (error: unknown) => void,
  ) {
    this.#connections = connections;
    this.#retryBackoffMs = retryBackoffMs;
    this.#failed = failed;
  }

  /** The open connection to a broker; begins to open one where there is none. */
  to(broker: number): BrokerConnection | undefined {
    const open = this.#open.get(broker);
    if (open?.usable === true) return open;
    this.#open.delete(broker);
    if (this.#connecting.has(broker)) return undefined;
    this.#connecting.add(broker);
    this.#connections
      .to(broker)
      .then((connection) => {
        this.#open.set(broker, connection);
        this.#connecting.delete(broker);
      })
      .catch((error: unknown) => {
        this.#failed(error);
        setTimeout(() => this.#connecting.delete(broker), this.#retryBackoffMs);
      });
    return undefined;
  }

  /** Requests without an answer on this broker's connection. */
  inFlight(broker: number): number {
    return this.#inFlight.get(broker) ?? 0;
  }

  began(broker: number): void {
    this.#inFlight.set(broker, this.inFlight(broker) + 1);
  }

  ended(broker: number): void {
    this.#inFlight.set(broker, this.inFlight(broker) - 1);
  }

  /** Ends the connection: what is in flight on it fails as `connection-lost`. */
  leave(broker: number): void {
    this.#open.get(broker)?.close();
  }
}
