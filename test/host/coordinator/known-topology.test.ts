import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ClusterSnapshot, Node } from '../../../src/core/model/topology.ts';
import { KnownTopology } from '../../../src/host/coordinator/known-topology.ts';

const node = (name: string, listeners?: Node['listeners']): Node => ({
  name,
  addresses: [`192.0.2.${name.slice(1)}`],
  roles: ['broker'],
  ...(listeners && { listeners }),
});

suite('what Kafka tells of the nodes', () => {
  test('one object learns it for all, again after a change, and never over cluster.yaml', () => {
    const seen: ClusterSnapshot = {
      takenAtMs: 0,
      brokers: [],
      topicPartitions: [],
      activeController: -1,
      voters: [],
    };
    const view = { snapshot: () => seen, refresh: async () => seen };
    const own = [{ name: 'OWN', port: 1 }];
    const topology = new KnownTopology({ name: 't', nodes: [node('n1', own), node('n2')] }, view);
    const { nodes } = topology;
    assert.deepEqual(topology.learn().nodes, nodes);
    const told = (port: number): void => {
      seen.listeners = [1, 2].map((id) => {
        return { id, hosts: [`192.0.2.${id}`], listeners: [{ name: 'PLAINTEXT', port }] };
      });
    };
    for (const port of [9092, 9192]) {
      told(port);
      assert.deepEqual(
        topology.learn().nodes.map(({ listeners }) => listeners?.[0]?.port),
        [1, port],
      );
    }
    // What agents are sent is the nodes and nothing else.
    assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(topology)) as object).sort(), [
      'name',
      'nodes',
    ]);
    assert.deepEqual(new KnownTopology({ name: 't', nodes }, undefined).learn().nodes, nodes);
  });
});
