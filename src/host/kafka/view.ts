import { Failure, reasonOf } from '../../core/base/failure.ts';
import type {
  ClusterSnapshot,
  KnownListeners,
  TopicPartitionState,
} from '../../core/model/topology.ts';
import { describeMinInsync, describeQuorum, type Quorum } from './admin.ts';
import { BrokerConnection, type Address, type ConnectionSettings } from './broker-connection.ts';
import { describeListeners } from './broker-listeners.ts';
import { askMetadata, parseBootstrap, type MetadataResponse } from './cluster-connections.ts';
import { securityOptions } from './security.ts';
import { describeProblem } from '../../core/base/problem.ts';

interface Answer {
  atMs: number;
  metadata: MetadataResponse;
}

interface Witness {
  address: Address;
  connection: BrokerConnection | undefined;
  asking: boolean;
  answer?: Answer;
  quorum?: { atMs: number; quorum: Quorum };
  /** What it told of its own listeners and of the controllers', and when it was last asked. */
  listeners?: { atMs: number; known: KnownListeners[] };
  error?: string;
}

const PERIOD_MS = 500;
const REQUEST_MS = 1_500;
const CONNECT_MS = 1_000;
const FORGET_MS = 5_000;
const REFRESH_MS = 2_000;
/** Configurations change rarely: this often, and at once where there is a new topic. */
const CONFIGS_MS = 10_000;

/**
 * A live view of a cluster. Every known broker is asked on its own, twice a second, so that a dead or
 * stopped one delays nothing; the answers are merged. A broker cut off from the controllers answers
 * from the past: per topic-partition the highest leader epoch counts, and among equals the broker
 * that is furthest in the metadata log.
 */
export class ClusterView {
  #bootstrap: Address[];
  #settings: ConnectionSettings;
  #witnesses = new Map<string, Witness>();
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];
  #minInsync = { atMs: 0, byTopic: new Map<string, number | undefined>() };

  /** @throws Failure `bad-properties`, `bad-bootstrap`. @param bootstrap host:port, comma-separated. */
  constructor(bootstrap: string, properties: Readonly<Record<string, string>> = {}) {
    const security = securityOptions(properties);
    if (!security.ok) {
      const message = security.problems.map(describeProblem).join('; ');
      throw new Failure('bad-properties', message, { definite: true });
    }
    this.#bootstrap = parseBootstrap(bootstrap);
    this.#settings = {
      clientId: 'faultline-view',
      connectTimeoutMs: CONNECT_MS,
      requestTimeoutMs: REQUEST_MS,
      security: security.value,
    };
    for (const address of this.#bootstrap) this.#know(address);
  }

  #know(address: Address): void {
    const key = `${address.host}:${address.port}`;
    if (!this.#witnesses.has(key)) {
      this.#witnesses.set(key, { address, connection: undefined, asking: false });
    }
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#round(), PERIOD_MS);
    this.#round();
  }

  #round(): void {
    for (const witness of this.#witnesses.values()) {
      if (!witness.asking) void this.#ask(witness);
    }
  }

  async #ask(witness: Witness): Promise<void> {
    witness.asking = true;
    try {
      if (witness.connection?.usable !== true) {
        witness.connection?.close();
        witness.connection = new BrokerConnection(witness.address, this.#settings);
      }
      const connection = witness.connection;
      await connection.open();
      const metadata = await askMetadata(connection, null);
      witness.answer = { atMs: Date.now(), metadata };
      delete witness.error;
      for (const { host, port } of metadata.brokers) this.#know({ host, port });
      await this.#askListeners(witness, connection, metadata);
      await this.#askMinInsync(connection, metadata);
      const quorum = await describeQuorum(connection);
      witness.quorum = { atMs: Date.now(), quorum };
    } catch (error) {
      // Whatever a broker in trouble does: it says nothing this time, and is asked again.
      witness.error = reasonOf(error);
    } finally {
      witness.asking = false;
      for (const done of this.#waiting.splice(0)) done();
    }
  }

  /** Its configuration changes at its start only: what it once told stays true while it is down. */
  async #askListeners(
    witness: Witness,
    connection: BrokerConnection,
    { brokers }: MetadataResponse,
  ): Promise<void> {
    const id = brokerAt(witness);
    const { atMs, known } = witness.listeners ?? { atMs: 0, known: [] };
    if (id < 0 || Date.now() - atMs < CONFIGS_MS) return;
    witness.listeners = { atMs: Date.now(), known };
    const host = brokers.find(({ nodeId }) => nodeId === id)?.host ?? witness.address.host;
    try {
      witness.listeners.known = await describeListeners(connection, { id, host });
    } catch {
      // Not allowed to, or too old: then cluster.yaml must say it, and who needs it is told so.
    }
  }

  /** Asked of whichever broker answers first, for all of them. */
  async #askMinInsync(connection: BrokerConnection, { topics }: MetadataResponse): Promise<void> {
    const nowMs = Date.now();
    const names = topics.flatMap(({ name }) => name ?? []);
    const { atMs, byTopic } = this.#minInsync;
    const isNew = names.some((name) => !byTopic.has(name));
    if (names.length === 0 || (!isNew && nowMs - atMs < CONFIGS_MS)) return;
    // Also what may not be described is asked for only now and then.
    const unknown = new Map(names.map((name) => [name, byTopic.get(name)]));
    this.#minInsync = { atMs: nowMs, byTopic: unknown };
    const found = await describeMinInsync(connection, names);
    this.#minInsync = { atMs: nowMs, byTopic: new Map([...unknown, ...found]) };
  }

  /** What is known now; `error` is set where no broker has answered within the last seconds. */
  snapshot(): ClusterSnapshot {
    const nowMs = Date.now();
    const fresh = [...this.#witnesses.values()].filter(
      ({ answer }) => answer !== undefined && nowMs - answer.atMs < FORGET_MS,
    );
    const quorum = this.#bestQuorum(nowMs);
    const ends = quorum?.ends ?? new Map<number, number>();
    const answers = fresh
      .map((witness) => ({
        metadata: (witness.answer as Answer).metadata,
        atMs: (witness.answer as Answer).atMs,
        reached: ends.get(brokerAt(witness)) ?? -1,
      }))
      .sort((a, b) => b.reached - a.reached || b.atMs - a.atMs);
    const snapshot: ClusterSnapshot = {
      takenAtMs: answers.length === 0 ? nowMs : Math.max(...answers.map(({ atMs }) => atMs)),
      brokers: [],
      topicPartitions: mergeTopicPartitions(answers.map(({ metadata }) => metadata)),
      activeController: quorum?.leader ?? -1,
      voters: quorum?.voters ?? [],
      listeners: [...this.#witnesses.values()].flatMap(({ listeners }) => listeners?.known ?? []),
      minInsyncReplicas: Object.fromEntries(
        [...this.#minInsync.byTopic].filter(
          (entry): entry is [string, number] => entry[1] !== undefined,
        ),
      ),
    };
    for (const { nodeId, host, port, rack } of answers[0]?.metadata.brokers ?? []) {
      const broker = { id: nodeId, host, port };
      snapshot.brokers.push(rack === null || rack === '' ? broker : { ...broker, rack });
    }
    if (answers.length === 0) {
      const errors = [...this.#witnesses.values()].map(({ error }) => error ?? 'no answer yet');
      snapshot.error = `no broker answers: ${[...new Set(errors)].join('; ')}`;
    }
    return snapshot;
  }

  #bestQuorum(nowMs: number): Quorum | undefined {
    let best: Quorum | undefined;
    for (const { quorum } of this.#witnesses.values()) {
      if (quorum === undefined || nowMs - quorum.atMs >= FORGET_MS) continue;
      if (best === undefined || quorum.quorum.epoch >= best.epoch) best = quorum.quorum;
    }
    return best;
  }

  /** Asks all brokers anew; resolves when all have answered or failed, at the latest after 2 s. */
  async refresh(): Promise<ClusterSnapshot> {
    const beganMs = Date.now();
    this.#round();
    while (Date.now() - beganMs < REFRESH_MS) {
      const pending = [...this.#witnesses.values()].some(({ asking }) => asking);
      if (!pending) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.snapshot();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { connection } of this.#witnesses.values()) connection?.close();
  }
}

function brokerAt(witness: Witness): number {
  const { host, port } = witness.address;
  const brokers = witness.answer?.metadata.brokers ?? [];
  return brokers.find((broker) => broker.host === host && broker.port === port)?.nodeId ?? -1;
}

/** @param answers the most trusted first: it wins among equal leader epochs. */
function mergeTopicPartitions(answers: readonly MetadataResponse[]): TopicPartitionState[] {
  const merged = new Map<string, TopicPartitionState>();
  for (const { topics } of answers) {
    for (const topic of topics) {
      if (topic.name === null) continue;
      for (const state of topic.partitions) {
        const key = `${topic.name}-${state.partitionIndex}`;
        const known = merged.get(key);
        if (known !== undefined && known.leaderEpoch >= state.leaderEpoch) continue;
        merged.set(key, {
          topic: topic.name,
          partition: state.partitionIndex,
          leader: state.leaderId,
          leaderEpoch: state.leaderEpoch,
          replicas: state.replicaNodes,
          isr: state.isrNodes,
        });
      }
    }
  }
  return [...merged.values()].sort((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  );
}
