import { randomBytes } from 'node:crypto';
import { Failure } from '../../core/base/failure.ts';
import { errorName } from './admin.ts';
import { askTopics, type ClusterConnections } from './cluster-connections.ts';
import { pause } from './pause.ts';
import { shareHeartbeat, type ShareFetchLimits, type SharePlace } from './share-requests.ts';
import { ShareSession, type ShareRecord } from './share-session.ts';
import { findCoordinator } from './transaction.ts';

const GROUP_KEY = 0;
const LEAVE = -1;
const BACKOFF_MS = 200;
const LOOK_MS = 100;
/** Leaders are asked for again at least this often. */
const LEADERS_MS = 2_000;

export interface ShareSettings extends ShareFetchLimits {
  group: string;
  topics: readonly string[];
}

/** A record of a share group with the name of its topic. */
export interface NamedRecord extends ShareRecord {
  topic: string;
}

export interface ShareObserver {
  /** @returns false: it is given back for others. */
  take(record: NamedRecord): boolean;
  /** A fetch has ended. @param count of records; @returns ms to wait before the next. */
  fetched(count: number, tookMs: number): number;
}

function keyOf({ topicId, topicPartition }: SharePlace): string {
  return `${topicId}-${topicPartition}`;
}

/** A member of a share group: joins, takes what it is given from each leader, tells what became of it. */
export class ShareMember {
  readonly #connections: ClusterConnections;
  readonly #settings: ShareSettings;
  readonly #observer: ShareObserver;
  /** A Kafka UUID in its own text; one that begins with '-' would look like an option to tools. */
  readonly #memberId = `A${randomBytes(16).toString('base64url').slice(1)}`;
  #epoch = 0;
  #assigned: SharePlace[] = [];
  #leaders = new Map<string, number>();
  #leadersMs = Number.NEGATIVE_INFINITY;
  readonly #names = new Map<string, string>();
  readonly #sessions = new Map<number, Promise<void>>();
  /** Fetches that were answered. */
  answers = 0;
  /** Errors since the start, by name. */
  readonly errors = new Map<string, number>();

  constructor(connections: ClusterConnections, settings: ShareSettings, observer: ShareObserver) {
    this.#connections = connections;
    this.#settings = settings;
    this.#observer = observer;
  }

  #note(error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    this.#count(error.code);
  }

  #count(code: string): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  /** Until the end; then it gives back what it has and leaves. */
  async run(signal: AbortSignal): Promise<void> {
    const looking = this.#look(signal);
    while (!signal.aborted) {
      try {
        await pause(await this.#beat(), signal);
      } catch (error) {
        this.#note(error);
        // Forgotten, or fenced: it joins again.
        this.#epoch = 0;
        await pause(BACKOFF_MS, signal);
      }
    }
    await looking;
    await Promise.all(this.#sessions.values());
    await this.#leave();
  }

  /** @returns ms until the next. */
  async #beat(): Promise<number> {
    const { group, topics } = this.#settings;
    const coordinator = await findCoordinator(this.#connections, GROUP_KEY, group);
    const wanted = this.#epoch === 0 ? [...topics] : null;
    const answer = await coordinator.call(
      shareHeartbeat,
      group,
      this.#memberId,
      this.#epoch,
      wanted,
    );
    this.#epoch = answer.memberEpoch;
    if (answer.assigned) {
      this.#assigned = answer.assigned;
      this.#leadersMs = Number.NEGATIVE_INFINITY;
      return Math.min(answer.heartbeatMs, LOOK_MS);
    }
    // Until there is something to read, the assignment may come with any answer.
    return this.#assigned.length === 0 ? LOOK_MS : answer.heartbeatMs;
  }

  async #leave(): Promise<void> {
    if (this.#epoch === 0) return;
    const { group } = this.#settings;
    try {
      const coordinator = await findCoordinator(this.#connections, GROUP_KEY, group);
      await coordinator.call(shareHeartbeat, group, this.#memberId, LEAVE, null);
    } catch (error) {
      this.#note(error);
    }
  }

  /** Keeps a session with every leader of what is assigned. */
  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (performance.now() - this.#leadersMs > LEADERS_MS) await this.#askLeaders();
      for (const broker of new Set(this.#assigned.map((place) => this.#leaderOf(place)))) {
        if (broker < 0 || this.#sessions.has(broker)) continue;
        const session = this.#hold(broker, signal).finally(() => this.#sessions.delete(broker));
        this.#sessions.set(broker, session);
      }
      await pause(LOOK_MS, signal);
    }
  }

  #leaderOf(place: SharePlace): number {
    return this.#leaders.get(keyOf(place)) ?? -1;
  }

  async #askLeaders(): Promise<void> {
    try {
      const answer = await this.#connections.any((one) =>
        askTopics(one, [...this.#settings.topics]),
      );
      this.#connections.remember(answer as never);
      this.#leadersMs = performance.now();
      for (const { errorCode, name, topicId, partitions } of answer.topics) {
        // One that is missing has no id; the others are read all the same.
        if (errorCode !== 0) this.#count(errorName(errorCode));
        if (partitions.length === 0) continue;
        this.#names.set(topicId, name ?? '');
        for (const { partitionIndex: topicPartition, leaderId } of partitions)
          this.#leaders.set(keyOf({ topicId, topicPartition }), leaderId);
      }
    } catch (error) {
      this.#note(error);
    }
  }

  #placesOf(broker: number): SharePlace[] {
    return this.#assigned.filter((place) => this.#leaderOf(place) === broker);
  }

  /** One session after another: whenever what this broker leads of ours changes, it is begun anew. */
  async #hold(broker: number, signal: AbortSignal): Promise<void> {
    const places = this.#placesOf(broker);
    const same = (): boolean =>
      this.#placesOf(broker).map(keyOf).join() === places.map(keyOf).join();
    try {
      const connection = await this.#connections.to(broker);
      const settings = { ...this.#settings, memberId: this.#memberId };
      const session = new ShareSession(connection, places, settings);
      while (!signal.aborted && same()) {
        const beganMs = performance.now();
        const count = await session.fetch((record) =>
          this.#observer.take({ ...record, topic: this.#names.get(record.topicId) ?? '' }),
        );
        this.answers++;
        await pause(this.#observer.fetched(count, performance.now() - beganMs), signal);
      }
      await session.close();
    } catch (error) {
      this.#note(error);
      this.#leadersMs = Number.NEGATIVE_INFINITY;
      await pause(BACKOFF_MS, signal);
    }
  }
}
