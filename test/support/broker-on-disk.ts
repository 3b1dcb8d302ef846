import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import { HttpClient } from '../../src/host/http-client.ts';
import { firstToken } from '../../src/host/http/tokens.ts';
import { createTopic } from '../../src/host/kafka/admin.ts';
import { ClusterConnections } from '../../src/host/kafka/cluster-connections.ts';
import { produce } from '../../src/host/kafka/produce-request.ts';
import { Reader } from '../../src/host/kafka/reader.ts';
import { encodeBatch } from '../../src/host/kafka/record-batch.ts';
import type { LabDescription } from '../../src/host/lab/describe.ts';
import { placeOf } from '../../src/host/lab/place.ts';
import { askInit } from '../../src/host/lab/requests.ts';
import { until } from './until.ts';

const SETTINGS = { clientId: 'disk-test', connectTimeoutMs: 2_000, requestTimeoutMs: 4_000 };

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}

export interface FaultInForce {
  seen(): Promise<boolean>;
  end(): Promise<void>;
}

/** One broker of a lab with its disk: faults through its agent, records, and whether it leads. */
export class BrokerOnDisk {
  readonly lab: LabDescription;
  readonly node: LabDescription['nodes'][number];
  readonly #agent: HttpClient;
  #connections: ClusterConnections | undefined;
  #faults = 0;

  constructor(lab: LabDescription, name: string) {
    this.lab = lab;
    const node = lab.nodes.find((one) => one.name === name);
    if (node?.agent === undefined || node.agent === null) throw new Error(`no agent on ${name}`);
    this.node = node;
    const token = firstToken(join(lab.directory, 'token'));
    this.#agent = new HttpClient({ url: node.agent, token });
  }

  get connections(): ClusterConnections {
    this.#connections ??= new ClusterConnections([{ host: this.node.address, port: 9092 }], {
      ...SETTINGS,
      security: {},
    });
    return this.#connections;
  }

  /** A broker that was started again has other connections. */
  disconnect(): void {
    this.#connections?.close();
    this.#connections = undefined;
  }

  /** A fault in force: how often it has hit, and its end. */
  async fault(kind: string, params: object): Promise<FaultInForce> {
    const path = `/v1/faults/disk-${++this.#faults}`;
    const body = { id: `disk-${this.#faults}`, kind, params, duration: '5m' };
    await this.#agent.post('/v1/faults?wait=20s', body);
    const status = (): Promise<AgentFaultStatus> => this.#agent.get<AgentFaultStatus>(path);
    await until(`${kind} in force`, async () => {
      const { state, error } = await status();
      if (state === 'failed') throw new Error(error);
      return state === 'active';
    });
    return {
      seen: async () => (await status()).receipt.effect === 'seen',
      end: async () => {
        await this.#agent.delete(`${path}?wait=20s`);
      },
    };
  }

  async topic(name: string, topicPartitions: number, config: Record<string, string>) {
    await createTopic(
      this.connections,
      { name, topicPartitions, replicationFactor: 1, config },
      10_000,
    );
    await until('leaders', async () => {
      const leaders = await this.leaders(name);
      const made = [...this.in('data', name), ...this.in('plain', name)];
      return made.length === topicPartitions && leaders.every((leader) => leader >= 0);
    });
  }

  /** Of every topic-partition; -1: none. */
  async leaders(topic: string): Promise<number[]> {
    const metadata = await this.connections.metadata([topic]);
    const parts = [...(metadata.topics[0]?.partitions ?? [])];
    return parts
      .sort((a, b) => a.partitionIndex - b.partitionIndex)
      .map(({ leaderId }) => leaderId);
  }

  /** The topic-partitions of a topic that are in one of the broker's log directories. */
  in(logDirectory: 'data' | 'plain', topic: string): number[] {
    return readdirSync(join(this.node.dataDirectory, logDirectory))
      .filter((name) => name.startsWith(`${topic}-`) && /^\d+$/.test(name.slice(topic.length + 1)))
      .map((name) => Number(name.slice(topic.length + 1)))
      .sort((a, b) => a - b);
  }

  /** Sends one record of a size with acks=all. @returns 'ok', or the error's code. */
  async send(topic: string, topicPartition: number, text: string, bytes = 0): Promise<string> {
    const value = Buffer.from(text.padEnd(bytes, '.'));
    const none = { producerId: -1, producerEpoch: -1, baseSequence: -1 };
    const batch = encodeBatch([{ value, timestampMs: Date.now() }], none);
    try {
      const connection = await this.connections.at({ host: this.node.address, port: 9092 });
      await connection.call(produce, -1, 3_000, [{ topic, topicPartition, bytes: batch }], null);
      return 'ok';
    } catch (error) {
      return codeOf(error);
    }
  }

  /** What is in a topic-partition, from its start to its end, without the padding. */
  async readAll(topic: string, topicPartition: number): Promise<string[]> {
    const texts: string[] = [];
    const place = { topic, topicPartition, position: 0 };
    const polling = { minBytes: 1, maxWaitMs: 100, backoffMs: 50, readCommitted: false };
    const reader = new Reader(this.connections, [place], polling, {
      polled({ batches }) {
        const records = batches.flatMap((batch) => batch.records);
        texts.push(...records.map(({ value }) => String(value).replace(/[.]+$/, '')));
      },
      pollFailed() {},
      sought() {},
    });
    reader.start();
    try {
      const [at] = reader.places;
      if (at === undefined) throw new Error('no place');
      const { end } = await reader.range(at, performance.now() + 10_000);
      await until('the end of the log', () => at.position >= end);
    } finally {
      await reader.close();
      this.disconnect();
    }
    return texts;
  }

  async kill(): Promise<void> {
    await askInit(placeOf(this.lab.name), this.node.name, 'kill', 'broker');
    this.disconnect();
  }

  /** Kills it if it runs, starts it, and waits until it leads. */
  async restart(topic: string): Promise<void> {
    await this.kill();
    await until('the broker is gone', async () => {
      const said = await askInit(placeOf(this.lab.name), this.node.name, 'kill', 'broker');
      return said === 'not running';
    });
    await askInit(placeOf(this.lab.name), this.node.name, 'start', 'broker');
    await until(
      'it leads again',
      async () => {
        try {
          const leaders = await this.leaders(topic);
          return leaders.length > 0 && leaders.every((leader) => leader >= 0);
        } catch {
          this.disconnect();
          return false;
        }
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
  }
}
