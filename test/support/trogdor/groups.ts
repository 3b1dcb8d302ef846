import { listGroupsV5 } from '@platformatic/kafka';
import { ClusterConnections, parseBootstrap } from '../../../src/host/kafka/cluster-connections.ts';

/** To be closed by whoever asked. */
export function connect(bootstrap: string): ClusterConnections {
  return new ClusterConnections(parseBootstrap(bootstrap), {
    clientId: 'test',
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 30_000,
    security: {},
  });
}

/** By which protocol the brokers say that the members of groups speak. */
export async function groupTypes(
  bootstrap: string,
  names: string[],
): Promise<(string | undefined)[]> {
  const connections = connect(bootstrap);
  try {
    const { groups } = await connections.any((one) => one.call(listGroupsV5.api, [], []));
    return names.map((name) => groups.find(({ groupId }) => groupId === name)?.groupType);
  } finally {
    connections.close();
  }
}
