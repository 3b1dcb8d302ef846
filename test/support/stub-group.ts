import { writeResponse } from '../../src/core/codec/kafka/frame.ts';
import type { Struct } from '../../src/core/codec/kafka/value.ts';
import { ClusterConnections } from '../../src/host/kafka/cluster-connections.ts';
import { StubBroker, type StubRequest } from './stub-broker.ts';

const METADATA = 3;
const FIND_COORDINATOR = 10;
const LEADER_NOT_AVAILABLE = 5;
/** Of the topic 'here'. */
export const ID = '0000000000004000800000000000000a';

/** Topic 'here': of two topic-partitions the second has no leader. */
function topicHere(): Struct {
  const nodes = { leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] };
  const partitions = [
    { errorCode: 0, partitionIndex: 0, leaderId: 1, ...nodes },
    { errorCode: LEADER_NOT_AVAILABLE, partitionIndex: 1, leaderId: -1, ...nodes },
  ];
  return { errorCode: 0, name: 'here', topicId: ID, partitions };
}

/** One broker with the topic 'here', that coordinates the group 'g'. */
export class StubGroup {
  readonly #stub: StubBroker;
  readonly connections: ClusterConnections;

  private constructor(port: number, stub: StubBroker) {
    this.#stub = stub;
    this.connections = new ClusterConnections([{ host: '127.0.0.1', port }], {
      clientId: 'c',
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 5_000,
      security: {},
    });
  }

  /**
   * @param other one more topic of its metadata.
   * @param answers by API key; what is not among them is never answered.
   */
  static async start(
    other: Struct,
    answers: Readonly<Record<number, Struct>>,
    heard: (request: StubRequest) => void = () => undefined,
  ): Promise<StubGroup> {
    const stub = new StubBroker();
    const port = await stub.listen();
    const broker = { nodeId: 1, host: '127.0.0.1', port };
    const all: Readonly<Record<number, Struct>> = {
      ...answers,
      [METADATA]: { brokers: [broker], topics: [other, topicHere()] },
      [FIND_COORDINATOR]: { coordinators: [{ key: 'g', ...broker, errorCode: 0 }] },
    };
    stub.answer = (request) => {
      heard(request);
      const answer = all[request.head.apiKey];
      return answer === undefined ? null : Buffer.from(writeResponse(request.head, answer));
    };
    return new StubGroup(port, stub);
  }

  async close(): Promise<void> {
    this.connections.close();
    await this.#stub.close();
  }
}
