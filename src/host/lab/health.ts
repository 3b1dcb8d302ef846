import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, describeQuorumV1, metadataV12 } from '@platformatic/kafka';
import { Failure, reasonOf } from '../../core/base/failure.ts';

/** What one broker says of its cluster. */
export interface BrokerView {
  /** Kafka ids of the brokers that are registered and not fenced. */
  registered: number[];
  /** Kafka id of the quorum's leader; -1: none. */
  leader: number;
}

interface Ask<T> {
  (done: (error?: Error | null, answer?: T) => void): void;
}

function answered<T>(ask: Ask<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, answer) => {
      if (error) reject(error);
      else resolve(answer as T);
    });
  });
}

/**
 * Asks one broker for the brokers it knows and the quorum's leader.
 * @throws whatever the connection or the broker said; a broker that is starting refuses or errs.
 */
export async function viewOf(host: string, port: number, timeoutMs = 2000): Promise<BrokerView> {
  const options = { connectTimeout: timeoutMs, requestTimeout: timeoutMs };
  const connection = new Connection('faultline-lab', options);
  try {
    await connection.connect(host, port);
    const metadata = await answered<metadataV12.MetadataResponse>((done) =>
      metadataV12.api(connection, [], false, false, done),
    );
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];
    const quorum = await answered<describeQuorumV1.DescribeQuorumResponse>((done) =>
      describeQuorumV1.api(connection, topics, done),
    );
    return {
      registered: metadata.brokers.map((broker) => broker.nodeId).sort((a, b) => a - b),
      leader: quorum.topics[0]?.partitions[0]?.leaderId ?? -1,
    };
  } finally {
    await connection.close().catch(() => undefined); // It may never have been open.
  }
}

export interface HealthWait {
  brokers: readonly { name: string; kafkaId: number; address: string }[];
  /** Of the listener for clients. */
  port: number;
  timeoutMs: number;
  /** Called between looks; throws to end the waiting (a broker died). */
  watch: () => void;
  say: (line: string) => void;
}

/**
 * Waits until every broker answers, sees every broker registered and unfenced, and a leader.
 * @throws Failure 'cluster-unhealthy' naming what was missing at the end.
 */
export async function waitHealthy(wait: HealthWait): Promise<void> {
  const until = performance.now() + wait.timeoutMs;
  const all = wait.brokers.map((broker) => broker.kafkaId).sort((a, b) => a - b);
  let waiting = [...wait.brokers];
  let why = '';
  let saidAt = performance.now();
  while (waiting.length > 0) {
    wait.watch();
    const [first] = waiting;
    if (first === undefined) break;
    try {
      const view = await viewOf(first.address, wait.port);
      why = `${first.name} sees brokers ${view.registered.join(', ') || 'none'} of ${all.join(', ')}`;
      if (view.leader >= 0 && view.registered.join() === all.join()) {
        waiting = waiting.slice(1);
        continue;
      }
    } catch (error) {
      why = `${first.name} does not answer yet (${reasonOf(error)})`;
    }
    if (performance.now() > until) {
      const message = `the cluster was not healthy after ${wait.timeoutMs / 1000} s: ${why}`;
      throw new Failure('cluster-unhealthy', message, { definite: false });
    }
    if (performance.now() - saidAt > 2000) {
      wait.say(`waiting for the cluster: ${why}`);
      saidAt = performance.now();
    }
    await sleep(100);
  }
}
