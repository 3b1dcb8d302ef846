import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkFault } from '../../../src/core/faults/registry.ts';
import { networkPartition } from '../../../src/core/faults/network.partition.ts';
import type { Node, Topology } from '../../../src/core/model/topology.ts';
import { checkTraffic, portsBetween } from '../../../src/core/model/traffic.ts';

const node = (name: string, roles: Node['roles'], listeners: Node['listeners'] = []): Node => ({
  name,
  addresses: [`198.18.0.${name.length}${name.charCodeAt(0) % 10}`],
  roles,
  listeners,
});

/** Controllers apart, one listener for clients and replication: Kafka's own defaults. */
const broker = node('b1', ['broker'], [{ name: 'PLAINTEXT', port: 9092 }]);
const other = node('bb2', ['broker'], [{ name: 'PLAINTEXT', port: 9192 }]);
const controller = node(
  'ccc1',
  ['controller'],
  [{ name: 'CONTROLLER', port: 9093, purpose: 'controller' }],
);
const client = node('dddd1', ['client']);
const topology: Topology = { name: 't', nodes: [broker, other, controller, client] };

suite('listeners', () => {
  test('what is between two nodes: whoever listens', () => {
    const between = (word: string, self: Node, peer: Node) =>
      portsBetween({ listeners: [word] }, self, peer);
    assert.deepEqual(between('controller', broker, controller), { local: [], remote: [9093] });
    assert.deepEqual(between('controller', controller, broker), { local: [9093], remote: [] });
    assert.deepEqual(between('controller', broker, other), { local: [], remote: [] });
    assert.deepEqual(between('replication', broker, other), { local: [9092], remote: [9192] });
    assert.deepEqual(between('replication', broker, client), { local: [], remote: [] });
    assert.deepEqual(between('client', broker, client), { local: [9092], remote: [] });
    assert.deepEqual(between('client', broker, other), { local: [], remote: [] });
    assert.deepEqual(between('plaintext', client, broker), { local: [], remote: [9092] });
    assert.equal(portsBetween({}, broker, other), undefined);
    assert.deepEqual(portsBetween({ ports: [7] }, broker, other), { local: [7], remote: [7] });
  });

  test('only nodes that have such traffic between them are cut, and act', () => {
    const cuts = (listeners: string[]) =>
      Object.fromEntries(
        networkPartition.cuts?.({ shape: 'isolate', listeners }, topology, ['b1'], '') ?? [],
      );
    assert.deepEqual(cuts(['controller']), { b1: ['ccc1'], ccc1: ['b1'] });
    assert.deepEqual(cuts(['replication']), { b1: ['bb2'], bb2: ['b1'] });
    assert.deepEqual(cuts(['client']), { b1: ['dddd1'], dddd1: ['b1'] });
  });

  test('words nobody knows are named, with what was probably meant', () => {
    assert.deepEqual(checkTraffic({ listeners: ['PLAINTXT'] }, topology)[0]?.nearMiss, 'PLAINTEXT');
    assert.deepEqual(
      checkTraffic({ listeners: ['controler'] }, topology)[0]?.nearMiss,
      'controller',
    );
    const bare: Topology = { name: 't', nodes: [client, { ...broker, listeners: [] }] };
    const params = { shape: 'isolate', listeners: ['client'], protocols: 'udp' };
    const problems = checkFault({ kind: 'network.partition', targets: 'b1', params }, bare);
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['/params/listeners/0', '/params/protocols'],
    );
  });

  test('a cut that leaves the controllers’ own port alone spares the quorum', () => {
    const spares = (params: object) =>
      networkPartition.sparesQuorum?.(
        { shape: 'isolate', ...params },
        {
          name: 't',
          nodes: [controller, { ...controller, name: 'ccc2' }, broker],
        },
      );
    assert.equal(spares({}), false);
    assert.equal(spares({ listeners: ['controller'] }), false);
    assert.equal(spares({ ports: [9093] }), false);
    assert.equal(spares({ ports: [9092] }), true);
  });
});
