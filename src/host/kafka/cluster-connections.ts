import { metadataV12, metadataV9 } from '@platformatic/kafka';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import {
  AnswerError,
  BrokerConnection,
  type Address,
  type ConnectionSettings,
} from './broker-connection.ts';

/** Reads `host:port,host:port` ([::1]:9092 for IPv6). @throws Failure on anything else. */
export function parseBootstrap(text: string): Address[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(part);
      const port = Number(match?.[3]);
      if (match === null || port < 1 || port > 65535) {
        throw new Failure('bad-bootstrap', `'${part}' is not host:port`, { definite: true });
      }
      return { host: (match[1] ?? match[2]) as string, port };
    });
}

export type MetadataResponse = ReturnType<typeof metadataV9.parseResponse>;
/** Topics have their ids. */
export type TopicsResponse = ReturnType<typeof metadataV12.parseResponse>;

interface Slot {
  connection: BrokerConnection;
  failedAtMs: number;
}

const RECONNECT_PAUSE_MS = 100;

/**
 * The connections of one client: at most one a broker, opened when first asked for, replaced after a
 * failure (at most ten times a second). Knows where brokers are from the latest metadata.
 */
export class ClusterConnections {
  readonly bootstrap: readonly Address[];
  readonly settings: ConnectionSettings;
  /** Brokers by Kafka id, as last told. */
  brokers = new Map<number, Address>();
  #slots = new Map<string, Slot>();
  #turn = 0;
  #closed = false;

  constructor(bootstrap: readonly Address[], settings: ConnectionSettings) {
    this.bootstrap = bootstrap;
    this.settings = settings;
  }

  /** @throws Failure `not-connected` (definite). */
  async at(address: Address): Promise<BrokerConnection> {
    const key = `${address.host}:${address.port}`;
    let slot = this.#slots.get(key);
    if (this.#closed)
      throw new Failure('not-connected', 'this client is closed', { definite: true });
    if (slot !== undefined && !slot.connection.usable) {
      slot.connection.close();
      if (performance.now() - slot.failedAtMs < RECONNECT_PAUSE_MS) {
        throw new Failure('not-connected', `${key}: waiting to reconnect`, { definite: true });
      }
      slot = undefined;
    }
    if (slot === undefined) {
      slot = { connection: new BrokerConnection(address, this.settings), failedAtMs: -Infinity };
      this.#slots.set(key, slot);
    }
    try {
      await slot.connection.open();
    } catch (error) {
      slot.failedAtMs = performance.now();
      throw error;
    }
    return slot.connection;
  }

  /** @throws Failure `not-connected` where the broker is not known or does not answer. */
  to(broker: number): Promise<BrokerConnection> {
    const address = this.brokers.get(broker);
    if (address !== undefined) return this.at(address);
    const message = `broker ${broker} is not known`;
    return Promise.reject(new Failure('not-connected', message, { definite: true }));
  }

  /** Known brokers, then the bootstrap servers, without repeats, beginning with another one each time. */
  candidates(): Address[] {
    const all = new Map<string, Address>();
    for (const address of [...this.brokers.values(), ...this.bootstrap]) {
      all.set(`${address.host}:${address.port}`, address);
    }
    const list = [...all.values()];
    const turn = this.#turn++ % Math.max(1, list.length);
    return [...list.slice(turn), ...list.slice(0, turn)];
  }

  /**
   * Asks one broker after the other until one answers. They take turns: a broker cut off from the
   * controllers answers metadata from the past and must not be the only one asked.
   * @throws AnswerError of the first that answered so; Failure `cluster-unreachable`.
   */
  async any<T>(ask: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    const reasons: string[] = [];
    for (const address of this.candidates()) {
      try {
        return await ask(await this.at(address));
      } catch (error) {
        if (error instanceof AnswerError || !(error instanceof Failure)) throw error;
        reasons.push(reasonOf(error));
      }
    }
    const message = `no broker answers: ${reasons.join('; ')}`;
    throw new Failure('cluster-unreachable', message, { definite: true });
  }

  /** Connects to one of the brokers, whichever answers. @throws Failure `cluster-unreachable`. */
  async first(): Promise<void> {
    await this.any((connection) => connection.open());
  }

  /** Metadata of topics (null: all); remembers the brokers. Missing topics are not created. */
  async metadata(topics: string[] | null): Promise<MetadataResponse> {
    const answer = await this.any((connection) => askMetadata(connection, topics));
    if (answer.brokers.length > 0) this.remember(answer);
    return answer;
  }

  remember(answer: MetadataResponse): void {
    this.brokers = new Map(
      answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]),
    );
  }

  close(): void {
    this.#closed = true;
    for (const { connection } of this.#slots.values()) connection.close();
    this.#slots.clear();
  }
}

/** Metadata v9 (Kafka 2.4 and later); errors of single topics stay in the answer. */
export function askMetadata(
  connection: BrokerConnection,
  topics: string[] | null,
): Promise<MetadataResponse> {
  return whole(connection.call(metadataV9.api, topics, false, false));
}

/** Metadata v12 (Kafka 3.1 and later); errors of single topics stay in the answer. */
export function askTopics(connection: BrokerConnection, topics: string[]): Promise<TopicsResponse> {
  return whole(connection.call(metadataV12.api, topics, false, false));
}

/** The same of topics by their ids: what they are called. */
export function askTopicNames(
  connection: BrokerConnection,
  topicIds: string[],
): Promise<TopicsResponse> {
  const topics = topicIds.map((topicId) => ({ topicId }));
  return whole(connection.call(metadataV12.api, topics, false, false));
}

/** The library throws when one topic has an error; the rest of the answer is as good as ever. */
async function whole<T extends object>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    const response: unknown = error instanceof AnswerError ? error.response : undefined;
    if (typeof response === 'object' && response !== null && 'brokers' in response)
      return response as T;
    throw error;
  }
}
