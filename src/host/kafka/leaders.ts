import { reasonOf } from '../../core/base/failure.ts';
import { ClusterConnections } from './cluster-connections.ts';

export interface Leader {
  /** -1: none. */
  broker: number;
  epoch: number;
}

const NONE: Leader = { broker: -1, epoch: -1 };
const SHORTEST_MS = 100;
const PERIOD_MS = 1_000;

/**
 * Who leads the topic-partitions of some topics. Epochs never go back: a broker that is cut off answers
 * from the past. Refreshed when asked to (at most ten times a second) and every second.
 */
export class Leaders {
  #connections: ClusterConnections;
  /** Of its own, and impatient: a stopped broker must not hold up finding the new leader. */
  #asking: ClusterConnections;
  #topics: string[];
  #leaders = new Map<string, Leader>();
  #running: Promise<void> | undefined;
  #lastMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #changed: () => void;
  #closed = false;
  /** Why the last refresh failed, if it did. */
  error: string | undefined;

  /** @param changed called after each refresh. */
  constructor(connections: ClusterConnections, topics: string[], changed: () => void) {
    this.#connections = connections;
    const { settings } = connections;
    this.#asking = new ClusterConnections(connections.bootstrap, {
      ...settings,
      connectTimeoutMs: Math.min(settings.connectTimeoutMs, 1_000),
      requestTimeoutMs: Math.min(settings.requestTimeoutMs, 1_000),
    });
    this.#topics = topics;
    this.#changed = changed;
  }

  of(topic: string, topicPartition: number): Leader {
    return this.#leaders.get(`${topic}-${topicPartition}`) ?? NONE;
  }

  start(): void {
    this.#timer = setInterval(() => this.refresh(), PERIOD_MS);
    this.refresh();
  }

  /** Asks for a refresh soon; returns at once. */
  refresh(): void {
    if (this.#running !== undefined || this.#closed) return;
    const waitMs = Math.max(0, this.#lastMs + SHORTEST_MS - performance.now());
    this.#running = new Promise<void>((resolve) => {
      setTimeout(() => {
        void this.#ask().finally(resolve);
      }, waitMs);
    }).then(() => {
      this.#running = undefined;
      this.#lastMs = performance.now();
      this.#changed();
    });
  }

  async #ask(): Promise<void> {
    try {
      const answer = await this.#asking.metadata(this.#topics);
      if (answer.brokers.length > 0) this.#connections.remember(answer);
      for (const topic of answer.topics) {
        for (const state of topic.partitions) {
          const key = `${topic.name}-${state.partitionIndex}`;
          if (state.leaderEpoch < (this.#leaders.get(key) ?? NONE).epoch) continue;
          this.#leaders.set(key, { broker: state.leaderId, epoch: state.leaderEpoch });
        }
      }
      this.error = undefined;
    } catch (error) {
      // An unreachable cluster is what a fault injector makes; the next refresh asks again.
      this.error = reasonOf(error);
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#asking.close();
  }
}
