import {
  addPartitionsToTxnV3,
  endTxnV3,
  findCoordinatorV4,
  initProducerIdV4,
} from '@platformatic/kafka';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/base/failure.ts';
import { AnswerError, type BrokerConnection } from './broker-connection.ts';
import type { ClusterConnections } from './cluster-connections.ts';

/** Another attempt may succeed: the coordinator moves, loads, or is still writing markers. */
const AGAIN = new Set([
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'REQUEST_TIMED_OUT',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'no-coordinator',
  'not-connected',
  'connection-lost',
  'request-timed-out',
  'cluster-unreachable',
]);
const BACKOFF_MS = 50;
const TRANSACTION_KEY = 1;

interface Place {
  topic: string;
  topicPartition: number;
}

/**
 * The transactions of one transactional id (KIP-98): its coordinator is found, and asked again where it
 * has moved or is not ready. One transaction at a time, begun by the first topic-partition.
 */
export class Transactions {
  readonly id: string;
  readonly #connections: ClusterConnections;
  readonly #patienceMs: number;
  #coordinator: BrokerConnection | undefined;
  #producer = { id: -1n, epoch: -1 };

  /** @param patienceMs how long a coordinator is asked before it counts as failed. */
  constructor(connections: ClusterConnections, id: string, patienceMs: number) {
    this.id = id;
    this.#connections = connections;
    this.#patienceMs = patienceMs;
  }

  /** Fences earlier producers of this id. @throws Failure. */
  async open(timeoutMs: number): Promise<{ producerId: number; producerEpoch: number }> {
    await this.#insist('begin with a transactional id', async (coordinator) => {
      // -1, -1: a fresh epoch (KIP-360).
      const answer = await coordinator.call(initProducerIdV4.api, this.id, timeoutMs, -1n, -1);
      this.#producer = { id: answer.producerId, epoch: answer.producerEpoch };
    });
    return { producerId: Number(this.#producer.id), producerEpoch: this.#producer.epoch };
  }

  /** @throws Failure: these can't take part. */
  async add(places: readonly Place[]): Promise<void> {
    const topics = [...new Set(places.map(({ topic }) => topic))].map((name) => ({
      name,
      partitions: places.filter(({ topic }) => topic === name).map((one) => one.topicPartition),
    }));
    const { id: producerId, epoch: producerEpoch } = this.#producer;
    const of = { transactionalId: this.id, producerId, producerEpoch, verifyOnly: false };
    await this.#insist('add to a transaction', async (coordinator) => {
      await coordinator.call(addPartitionsToTxnV3.api, [{ ...of, topics }]);
    });
  }

  /** @throws Failure: it is not known to have ended so. */
  async end(commit: boolean): Promise<void> {
    const { id, epoch } = this.#producer;
    await this.#insist(commit ? 'commit' : 'abort', async (coordinator) => {
      await coordinator.call(endTxnV3.api, this.id, id, epoch, commit);
    });
  }

  async #insist(what: string, ask: (coordinator: BrokerConnection) => Promise<void>) {
    const untilMs = performance.now() + this.#patienceMs;
    for (;;) {
      try {
        await ask(await this.#found());
        return;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (!AGAIN.has(error.code) || performance.now() > untilMs) {
          const says = `could not ${what}: ${error.message}`;
          throw new Failure(error.code, says, { definite: error.definite, cause: error });
        }
        // Of what is only not ready yet the coordinator is the same.
        if (error.code !== 'CONCURRENT_TRANSACTIONS') this.#coordinator = undefined;
        await sleep(BACKOFF_MS);
      }
    }
  }

  async #found(): Promise<BrokerConnection> {
    if (this.#coordinator?.usable === true) return this.#coordinator;
    this.#coordinator = await findCoordinator(this.#connections, TRANSACTION_KEY, this.id);
    return this.#coordinator;
  }
}

/** @param type 0: of a group; 1: of a transactional id. @throws Failure `no-coordinator` and others. */
export async function findCoordinator(
  connections: ClusterConnections,
  type: number,
  key: string,
): Promise<BrokerConnection> {
  try {
    const found = await connections.any((one) => one.call(findCoordinatorV4.api, type, [key]));
    const one = found.coordinators[0];
    if (one && one.nodeId >= 0) return await connections.at({ host: one.host, port: one.port });
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error;
    // A cluster just up makes the log of transactions, or of offsets, when it is first asked.
    throw new Failure('no-coordinator', `${key} has no coordinator: ${error.message}`, {
      definite: true,
      cause: error,
    });
  }
  throw new Failure('no-coordinator', `${key} has no coordinator`, { definite: true });
}
