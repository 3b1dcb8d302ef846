import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { withKnownListeners } from '../../../src/core/coordinator/known-listeners.ts';
import { checkFault } from '../../../src/core/faults/registry.ts';
import { listenersByConfig, votersByConfig } from '../../../src/core/model/broker-listeners.ts';
import type { KnownListeners, Node } from '../../../src/core/model/topology.ts';

const short = (config: object): string[] =>
  listenersByConfig(config).map(({ name, port, purpose }) => `${name} ${port} ${purpose ?? '-'}`);

suite('listeners by a broker’s configuration', () => {
  test('Kafka’s own defaults: one listener for clients and brokers', () => {
    assert.deepEqual(short({}), ['PLAINTEXT 9092 -']);
    assert.deepEqual(short({ listeners: 'PLAINTEXT://:9092', 'advertised.listeners': null }), [
      'PLAINTEXT 9092 -',
    ]);
  });

  test('three listeners, IPv6, lower case; controllers are named', () => {
    const listeners = 'CLIENT://10.0.0.1:9092, controller://[fd00::1]:9093,INTERNAL://:9094';
    const config = { listeners, 'controller.listener.names': 'CONTROLLER' };
    assert.deepEqual(short({ ...config, 'inter.broker.listener.name': 'INTERNAL' }), [
      'CLIENT 9092 client',
      'controller 9093 controller',
      'INTERNAL 9094 replication',
    ]);
  });

  test('the listener between brokers by its protocol; a port that is forwarded counts twice', () => {
    const listeners = 'PLAINTEXT://:9092,SSL://:9093';
    const config = { listeners, 'advertised.listeners': 'PLAINTEXT://h:31092,SSL://h:9093' };
    assert.deepEqual(short({ ...config, 'security.inter.broker.protocol': 'SSL' }), [
      'PLAINTEXT 9092 client',
      'SSL 9093 replication',
      'PLAINTEXT 31092 client',
    ]);
  });

  test('which speak TLS: by the map, or by a name that is a protocol', () => {
    const listeners = 'CLIENT://:9092,SASL_SSL://:9093,INSIDE://:9094,PLAINTEXT://:9095';
    const map = 'CLIENT:SASL_SSL,inside:SSL,CONTROLLER:PLAINTEXT';
    const config = { listeners, 'listener.security.protocol.map': map };
    const found = listenersByConfig({ ...config, 'inter.broker.listener.name': 'INSIDE' });
    assert.deepEqual(
      found.map(({ port, tls }) => (tls === true ? port : 0)),
      [9092, 9093, 9094, 0],
    );
  });

  test('voters: id, host and port', () => {
    const config = {
      'controller.quorum.voters': '7@k1:9093,8@[fd00::8]:9193',
      'controller.listener.names': 'KRAFT',
    };
    assert.deepEqual(votersByConfig(config), [
      {
        id: 7,
        hosts: ['k1'],
        listeners: [{ name: 'KRAFT', port: 9093, purpose: 'controller' }],
      },
      {
        id: 8,
        hosts: ['fd00::8'],
        listeners: [{ name: 'KRAFT', port: 9193, purpose: 'controller' }],
      },
    ]);
    assert.deepEqual(votersByConfig({}), []);
  });
});

suite('listeners that Kafka tells', () => {
  const node = (name: string, changes: Partial<Node> = {}): Node => ({
    name,
    addresses: [`2001:DB8::${name.slice(1)}`],
    roles: ['broker'],
    ...changes,
  });
  const known = (id: number, host: string): KnownListeners => ({
    id,
    hosts: [host],
    listeners: [{ name: 'PLAINTEXT', port: 9000 + id }],
  });
  const ports = (nodes: readonly Node[], told: KnownListeners[]): unknown[] =>
    withKnownListeners(nodes, told).map(({ listeners }) => listeners?.[0]?.port);

  test('by node.id, by address, by name; cluster.yaml wins', () => {
    const own = [{ name: 'OWN', port: 1 }];
    const nodes = [
      node('n1', { kafkaId: 11 }),
      node('n2'),
      node('n3'),
      node('n4', { listeners: own }),
    ];
    const told = [known(11, 'elsewhere'), known(2, '2001:db8::2'), known(3, 'N3'), known(4, 'n4')];
    assert.deepEqual(ports(nodes, told), [9011, 9002, 9003, 1]);
    assert.deepEqual(ports([node('n1', { kafkaId: 12 })], told), [undefined]);
  });

  test('what can’t be told apart stays without', () => {
    const shared = { addresses: ['198.18.0.1'] };
    const two = [node('n1', shared), node('n2', shared)];
    assert.deepEqual(ports(two, [known(1, '198.18.0.1')]), [undefined, undefined]);
    assert.deepEqual(
      ports([node('n1', shared)], [known(1, '198.18.0.1'), known(2, '198.18.0.1')]),
      [undefined],
    );
  });

  test('a node that nobody knows is refused by name, with what helps; clients need none', () => {
    const nodes = [
      node('n1', { listeners: [{ name: 'PLAINTEXT', port: 9092 }] }),
      node('n2'),
      node('n3', { roles: ['client'] }),
      node('n4', { roles: ['controller'] }),
    ];
    const check = (all: Node[], word = 'replication') => {
      const params = { shape: 'isolate', listeners: [word] };
      const fault = { kind: 'network.partition', targets: 'n1', params };
      return checkFault(fault, { name: 't', nodes: all });
    };
    const [problem, ...more] = check(nodes);
    assert.deepEqual(more, []);
    assert.equal(problem?.path, '/params/listeners');
    assert.match(problem?.message ?? '', /node 'n2' .* could not be asked/);
    assert.match(problem?.expected ?? '', /'ports' here/);
    const told = withKnownListeners(nodes, [known(2, 'n2')]);
    assert.deepEqual(check(told), []);
    // Only controllers listen for controllers, and of any other name nobody can tell.
    for (const word of ['controller', 'PLAINTEXT'])
      assert.match(check(told, word)[0]?.message ?? '', /node 'n4' has no/, word);
    assert.doesNotMatch(JSON.stringify(check(nodes, 'controller')), /'n2'/);
  });
});
