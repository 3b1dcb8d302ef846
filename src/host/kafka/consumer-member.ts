import { randomBytes } from 'node:crypto';
import { apiVersionsV3, consumerGroupHeartbeatV0, offsetCommitV9 } from '@platformatic/kafka';
import { Failure } from '../../core/base/failure.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { askTopicNames, type ClusterConnections } from './cluster-connections.ts';
import type { GroupPositions, GroupReader } from './group-member.ts';
import { commitOffsets, committedOffsets } from './group-offsets.ts';
import type { GroupPlace } from './group-protocol.ts';
import { pause } from './pause.ts';
import { findCoordinator } from './transaction.ts';

const GROUP_KEY = 0;
const HEARTBEAT_KEY = 68;
const LEAVE = -1;
const BACKOFF_MS = 200;
/** What no other try mends. */
const FATAL = new Set([
  'GROUP_AUTHORIZATION_FAILED',
  'GROUP_MAX_SIZE_REACHED',
  'INCONSISTENT_GROUP_PROTOCOL',
  'INVALID_GROUP_ID',
  'INVALID_REQUEST',
  'TOPIC_AUTHORIZATION_FAILED',
  'UNSUPPORTED_ASSIGNOR',
  'UNSUPPORTED_VERSION',
]);
const SPEAKERS = 'Kafka 4.0 and later do, where the feature group.version is 1';
/** Others read what it has: it joins again, and commits nothing before. */
const LOST = new Set(['FENCED_MEMBER_EPOCH', 'GROUP_ID_NOT_FOUND', 'UNKNOWN_MEMBER_ID']);

export interface ConsumerGroupSettings {
  group: string;
  topics: readonly string[];
  /** Of the group coordinator; null: its choice. */
  assignor: string | null;
  /** How long it may take to give back what is taken from it. */
  rebalanceMs: number;
  /** 0: never while it reads. */
  commitMs: number;
}

type Assigned = { topicId: string; partitions: number[] }[];

function keyOf({ topic, topicPartition }: GroupPlace): string {
  return `${topic}-${topicPartition}`;
}

function isSame(some: readonly GroupPlace[], others: readonly GroupPlace[]): boolean {
  const keys = new Set(some.map(keyOf));
  return some.length === others.length && others.every((place) => keys.has(keyOf(place)));
}

/**
 * A member of a consumer group by the protocol of KIP-848 (ConsumerGroupHeartbeat): the group coordinator
 * says what is whose, and a topic-partition is told to be given back before another member gets it.
 */
export class ConsumerMember {
  readonly #connections: ClusterConnections;
  readonly #settings: ConsumerGroupSettings;
  readonly #reader: GroupReader;
  /** A Kafka UUID in its own text; one that begins with '-' would look like an option to tools. */
  readonly #memberId = `A${randomBytes(16).toString('base64url').slice(1)}`;
  readonly #ids = new Map<string, string>();
  #epoch = 0;
  /** Whether the next heartbeat says everything. */
  #isWhole = true;
  #assigned: Assigned = [];
  #owned: GroupPlace[] = [];
  /** Errors since the start, by name. */
  readonly errors = new Map<string, number>();

  constructor(
    connections: ClusterConnections,
    settings: ConsumerGroupSettings,
    reader: GroupReader,
  ) {
    this.#connections = connections;
    this.#settings = settings;
    this.#reader = reader;
  }

  #note(error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    this.errors.set(error.code, (this.errors.get(error.code) ?? 0) + 1);
  }

  /** Until the end; then it commits and leaves. @throws Failure: the brokers will not have it. */
  async run(signal: AbortSignal): Promise<void> {
    const { commitMs } = this.#settings;
    let [beatMs, committedMs] = [performance.now(), performance.now()];
    while (!signal.aborted) {
      try {
        if (performance.now() >= beatMs) beatMs = performance.now() + (await this.#beat());
        if (commitMs > 0 && performance.now() >= committedMs + commitMs) {
          committedMs = performance.now();
          await this.#commit(this.#reader.positions());
        }
        const nextMs = commitMs > 0 ? Math.min(beatMs, committedMs + commitMs) : beatMs;
        await pause(nextMs - performance.now(), signal);
      } catch (error) {
        await this.#failed(error);
        beatMs = 0;
        await pause(BACKOFF_MS, signal);
      }
    }
    await this.#end();
  }

  async #failed(error: unknown): Promise<void> {
    this.#note(error);
    const { code, message } = error as Failure;
    if (FATAL.has(code)) {
      const said = code === 'UNSUPPORTED_VERSION' ? `${message} ${SPEAKERS}` : message;
      const says = `group '${this.#settings.group}' by the protocol 'consumer': ${said}`;
      throw new Failure(code, says, { definite: true, cause: error });
    }
    this.#isWhole = true;
    if (!LOST.has(code)) return;
    this.#epoch = 0;
    [this.#assigned, this.#owned] = [[], []];
    await this.#reader.revoked();
  }

  async #end(): Promise<void> {
    try {
      await this.#commit(await this.#reader.revoked());
      if (this.#epoch > 0) await this.#heartbeat(LEAVE);
    } catch (error) {
      // The others read these again: at least once is what a group promises.
      this.#note(error);
    }
  }

  async #commit(positions: readonly GroupPositions[]): Promise<void> {
    const { group, commitMs } = this.#settings;
    if (commitMs === 0 || this.#epoch <= 0 || positions.length === 0) return;
    const member = { generation: this.#epoch, memberId: this.#memberId };
    const coordinator = await this.#coordinator();
    await commitOffsets(coordinator, group, member, positions, offsetCommitV9.api);
  }

  #coordinator(): Promise<BrokerConnection> {
    return findCoordinator(this.#connections, GROUP_KEY, this.#settings.group);
  }

  /** @returns ms until the next. */
  async #beat(): Promise<number> {
    if (this.#epoch === 0) await isSpoken(await this.#coordinator());
    const answer = await this.#heartbeat(this.#epoch);
    this.#epoch = answer.memberEpoch;
    this.#isWhole = false;
    if (answer.assignment) this.#assigned = answer.assignment.topicPartitions;
    const target = await this.#named(this.#assigned);
    if (isSame(target, this.#owned)) return answer.heartbeatIntervalMs;
    await this.#become(target);
    // What it has now is told at once: somebody may wait for what it gave back.
    this.#isWhole = true;
    return 0;
  }

  #heartbeat(epoch: number) {
    const { group, topics, assignor, rebalanceMs } = this.#settings;
    const isWhole = this.#isWhole && epoch !== LEAVE;
    return this.#coordinator().then((coordinator) =>
      coordinator.call(
        consumerGroupHeartbeatV0.api,
        group,
        this.#memberId,
        epoch,
        null,
        null,
        isWhole ? rebalanceMs : -1,
        isWhole ? [...topics] : null,
        null,
        isWhole ? assignor : null,
        isWhole ? this.#told() : null,
      ),
    );
  }

  /** What it has, by ids. */
  #told(): Assigned {
    return [...this.#ids]
      .map(([topicId, name]) => ({
        topicId,
        partitions: this.#owned
          .filter(({ topic }) => topic === name)
          .map(({ topicPartition }) => topicPartition),
      }))
      .filter(({ partitions }) => partitions.length > 0);
  }

  /** Without topics that the brokers don't know (just deleted, just made): those are asked for again. */
  async #named(assigned: Assigned): Promise<GroupPlace[]> {
    const unknown = assigned.filter(({ topicId }) => !this.#ids.has(topicId));
    if (unknown.length > 0) {
      const asked = unknown.map(({ topicId }) => topicId);
      const { topics } = await this.#connections.any((one) => askTopicNames(one, asked));
      for (const { name, topicId } of topics) if (name) this.#ids.set(topicId, name);
    }
    return assigned.flatMap(({ topicId, partitions }) => {
      const topic = this.#ids.get(topicId);
      if (topic === undefined) return [];
      return partitions.map((topicPartition) => ({ topic, topicPartition }));
    });
  }

  /** Commits what is taken from it; goes on where it is in what it keeps, and where the group is in the rest. */
  async #become(target: readonly GroupPlace[]): Promise<void> {
    const wanted = new Set(target.map(keyOf));
    const owned = new Set(this.#owned.map(keyOf));
    const added = target.filter((place) => !owned.has(keyOf(place)));
    const { group } = this.#settings;
    const found =
      added.length > 0 ? await committedOffsets(await this.#coordinator(), group, added) : [];
    const had = await this.#reader.revoked();
    await this.#commit(had).catch((error: unknown) => this.#note(error));
    const kept = had.filter((place) => wanted.has(keyOf(place)));
    this.#owned = [];
    await this.#reader.assigned([...kept, ...found]);
    this.#owned = [...target];
  }
}

/** @throws Failure `UNSUPPORTED_VERSION`: an older broker would just hang up. */
async function isSpoken(coordinator: BrokerConnection): Promise<void> {
  const { apiKeys } = await coordinator.call(apiVersionsV3.api, 'faultline', '0');
  if (apiKeys.some(({ apiKey }) => apiKey === HEARTBEAT_KEY)) return;
  const message = `${coordinator.where} does not speak it.`;
  throw new Failure('UNSUPPORTED_VERSION', message, { definite: true });
}
