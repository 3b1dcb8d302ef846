import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../src/core/base/failure.ts';
import type { Cluster } from '../../src/core/model/topology.ts';
import { addressesOf, checkSameNodes } from '../../src/host/trogdor/config-file.ts';

const cluster: Cluster = {
  name: 'c',
  nodes: [
    {
      name: 'kafka-1',
      addresses: ['10.0.0.1'],
      roles: ['broker'],
      agent: 'http://k1.example:7711',
    },
    { name: 'kafka-2', addresses: ['10.0.0.2'], roles: ['broker'] },
  ],
};
const node = (name: string, hostname: string, agentPort = 8888) => ({
  name,
  hostname,
  agentPort,
  ownAgentPort: 7711,
  tags: [],
});

test('cluster.yaml and trogdor.conf must call a node the same, and it is said which one is meant', () => {
  checkSameNodes(cluster, [node('kafka-1', 'anything'), node('home', 'h', 0)]);
  const others = [node('n1', 'k1.example'), node('n2', '10.0.0.2'), node('n3', 'kafka-9')];
  assert.throws(
    () => checkSameNodes(cluster, [node('kafka-1', 'k1.example'), ...others]),
    (error) =>
      error instanceof Failure &&
      /'n1' \(there called 'kafka-1'\), 'n2' \(there called 'kafka-2'\), 'n3'; .* one name in both/.test(
        error.message,
      ),
  );
});

test('a node has the addresses of its name, too, where that is the same host', async () => {
  const own = await addressesOf(node('localhost', '127.0.0.1'));
  const named = await addressesOf(node('localhost', 'localhost'));
  assert.deepEqual(own.toSorted(), named.toSorted());
  assert.deepEqual(await addressesOf(node('localhost', '198.18.0.9')), ['198.18.0.9']);
  assert.deepEqual(await addressesOf(node('no-such-host.invalid', '127.0.0.1')), ['127.0.0.1']);
  await assert.rejects(addressesOf(node('localhost', 'no-such-host.invalid')), {
    code: 'bad-host',
  });
});
