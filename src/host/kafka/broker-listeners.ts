import { ConfigResourceTypes, describeQuorumV2 } from '@platformatic/kafka';
import { Failure } from '../../core/base/failure.ts';
import {
  LISTENER_CONFIGS,
  listenersByConfig,
  votersByConfig,
  type ListenerConfig,
} from '../../core/model/broker-listeners.ts';
import type { KnownListeners } from '../../core/model/topology.ts';
import { askConfigs, errorName } from './admin.ts';
import type { BrokerConnection } from './broker-connection.ts';

/**
 * Where a broker listens, by its own configuration (DescribeConfigs, which only the broker itself can
 * answer), and where the controllers do that it knows. @throws Failure.
 */
export async function describeListeners(
  connection: BrokerConnection,
  broker: { id: number; host: string },
): Promise<KnownListeners[]> {
  const resource = {
    resourceType: ConfigResourceTypes.BROKER,
    resourceName: String(broker.id),
    configurationKeys: [...LISTENER_CONFIGS],
  };
  const [result] = (await askConfigs(connection, [resource])).results;
  if (result === undefined || result.errorCode !== 0) {
    const code = result === undefined ? 'no-answer' : errorName(result.errorCode);
    throw new Failure(code, `no configuration of broker ${broker.id}: ${code}`, { definite: true });
  }
  const config: ListenerConfig = Object.fromEntries(
    result.configs.map(({ name, value }) => [name, value]),
  );
  const own = { id: broker.id, hosts: [broker.host], listeners: listenersByConfig(config) };
  const voters = votersByConfig(config);
  const controllers = voters.length > 0 ? voters : await dynamicVoters(connection);
  return [own, ...controllers.filter(({ id }) => id !== broker.id)];
}

/** Controllers of a quorum that can change (KIP-853): DescribeQuorum v2, Kafka 3.9 and later. */
async function dynamicVoters(connection: BrokerConnection): Promise<KnownListeners[]> {
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];
  try {
    const { nodes } = await connection.call(describeQuorumV2.api, topics);
    return nodes.map(({ nodeId, listeners }) => ({
      id: nodeId,
      hosts: listeners.map(({ host }) => host),
      listeners: listeners.map(({ name, port }) => ({ name, port, purpose: 'controller' })),
    }));
  } catch {
    // An older Kafka, or one with ZooKeeper: nobody tells where its controllers listen.
    return [];
  }
}
