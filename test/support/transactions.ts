import {
  addPartitionsToTxnV3,
  endTxnV3,
  findCoordinatorV4,
  initProducerIdV4,
} from '@platformatic/kafka';
import type { Address } from '../../src/host/kafka/broker-connection.ts';
import type { ClusterConnections } from '../../src/host/kafka/cluster-connections.ts';
import { produce } from '../../src/host/kafka/produce-request.ts';
import { encodeBatch } from '../../src/host/kafka/record-batch.ts';
import { until } from './until.ts';

/** A transactional producer for tests, as producers were before KIP-890: an epoch is for many transactions. */
export class TestTransactions {
  #connections: ClusterConnections;
  #coordinator: Address;
  #id: string;
  #producer: { id: bigint; epoch: number };
  #sequence = 0;

  private constructor(
    connections: ClusterConnections,
    coordinator: Address,
    id: string,
    producer: { id: bigint; epoch: number },
  ) {
    this.#connections = connections;
    this.#coordinator = coordinator;
    this.#id = id;
    this.#producer = producer;
  }

  static async open(connections: ClusterConnections, id: string): Promise<TestTransactions> {
    // A cluster just up creates its transaction log when first asked.
    return until(
      'a transaction coordinator',
      async () => {
        try {
          const found = await connections.any((one) => one.call(findCoordinatorV4.api, 1, [id]));
          const { host, port, nodeId } = found.coordinators[0] ?? { nodeId: -1, host: '', port: 0 };
          if (nodeId < 0) return undefined;
          const connection = await connections.at({ host, port });
          const answer = await connection.call(initProducerIdV4.api, id, 60_000, -1n, -1);
          const producer = { id: answer.producerId, epoch: answer.producerEpoch };
          return new TestTransactions(connections, { host, port }, id, producer);
        } catch {
          // Not ready yet: the condition is asked again until the timeout.
          return undefined;
        }
      },
      { timeoutMs: 30_000, everyMs: 200 },
    );
  }

  /** Writes one record in a transaction of its own. */
  async write(topic: string, topicPartition: number, text: string, commit: boolean): Promise<void> {
    await this.append(topic, topicPartition, text);
    await this.end(commit);
  }

  /** Writes one record in the transaction that is open, or opens one. */
  async append(topic: string, topicPartition: number, text: string): Promise<void> {
    const { id: producerId, epoch: producerEpoch } = this.#producer;
    const topics = [{ name: topic, partitions: [topicPartition] }];
    const transaction = { transactionalId: this.#id, producerId, producerEpoch, verifyOnly: false };
    await until('the topic-partition in the transaction', async () => {
      try {
        const coordinator = await this.#connections.at(this.#coordinator);
        await coordinator.call(addPartitionsToTxnV3.api, [{ ...transaction, topics }]);
        return true;
      } catch (error) {
        // The markers of the transaction before are still being written.
        if ((error as { code?: string }).code === 'CONCURRENT_TRANSACTIONS') return false;
        throw error;
      }
    });
    const metadata = await this.#connections.metadata([topic]);
    const state = metadata.topics[0]?.partitions.find(
      (one) => one.partitionIndex === topicPartition,
    );
    const leader = await this.#connections.to(state?.leaderId ?? -1);
    const identity = {
      producerId: Number(producerId),
      producerEpoch,
      baseSequence: this.#sequence,
    };
    const record = { value: Buffer.from(text), timestampMs: Date.now() };
    const batch = encodeBatch([record], { ...identity, transactional: true });
    this.#sequence++;
    await leader.call(produce, -1, 10_000, [{ topic, topicPartition, bytes: batch }], this.#id);
  }

  /** Ends the transaction that is open. @throws what the broker answers, or that it did not. */
  async end(commit: boolean): Promise<void> {
    const { id: producerId, epoch: producerEpoch } = this.#producer;
    const coordinator = await this.#connections.at(this.#coordinator);
    await coordinator.call(endTxnV3.api, this.#id, producerId, producerEpoch, commit);
  }
}
