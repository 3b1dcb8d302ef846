import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { kafkaRequest } from '../../../src/core/faults/kafka.request.ts';
import { checkFault } from '../../../src/core/faults/registry.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import type { Here, Step } from '../../../src/core/model/fault.ts';
import type { Node } from '../../../src/core/model/topology.ts';
import { NO_PROXY } from '../../../src/core/model/query-proxy.ts';

const RULES = [{ apiKey: 'Produce', disconnect: 'after' }];

const here = (node = 'n1'): Here => ({
  faultId: 'fault-1',
  instance: 1,
  token: 'faultline-abc',
  node,
  topology: EXAMPLE_TOPOLOGY,
  targets: [node],
  meets: () => true,
  control: { coordinatorAddresses: ['198.18.0.254'], agentPort: 8611 },
  random: new Random(7),
});

/** Ports of the plan, or its problems. */
function portsOf(params: object, node = 'n1'): number[] | string[] {
  const plan = kafkaRequest.plan({ rules: RULES, ...params }, here(node), []);
  const [step] = plan as Step[];
  if (step?.act?.act !== 'kafka.proxy')
    return plan.map((one) => ('message' in one ? one.message : ''));
  assert.equal(step.act.orders.redirect.table, 'faultline-abc');
  return step.act.orders.redirect.ports;
}

suite('kafka.request', () => {
  test('listeners become ports, by their name and by what they are for', () => {
    assert.deepEqual(portsOf({}), [9092]);
    assert.deepEqual(portsOf({ listeners: ['replication', 'CONTROLLER'] }), [9093, 9094]);
    assert.deepEqual(portsOf({ ports: [9094, 9092, 9094] }), [9092, 9094]);
  });

  test("a listener that speaks TLS is noted before anything is done, unless 'tls' ends it", () => {
    const node = { ...EXAMPLE_TOPOLOGY.nodes[0], name: 'n1' } as Node;
    const listeners = [{ name: 'SECRET', port: 9092, tls: true }];
    const topology = { ...EXAMPLE_TOPOLOGY, nodes: [{ ...node, listeners }] };
    const noteOf = (params: object): string | undefined =>
      kafkaRequest.backend?.({ rules: RULES, ...params }, { ...here(), topology }).note;
    assert.match(noteOf({}) ?? '', /^port 9092 speaks TLS, and 'tls' is not given/);
    assert.equal(noteOf({ tls: { certificate: '/c', key: '/k' } }), undefined);
  });

  test('a port that is no Kafka listener of the node is refused, unless it is meant', () => {
    const says = /port 22 is not known to be a Kafka listener of/;
    assert.match(String(portsOf({ ports: [9092, 22] })), says);
    assert.match(String(portsOf({ ports: [22] }, 'client1')), says);
    assert.deepEqual(portsOf({ ports: [22], anyPort: true }), [22]);
    assert.deepEqual(portsOf({ ports: [22], anyPort: true }, 'client1'), [22]);
  });

  test("a node without such a listener, and the agent's own port, are refused", () => {
    assert.match(String(portsOf({}, 'client1')), /not known on which port client1/);
    assert.match(String(portsOf({ ports: [8611], anyPort: true })), /8611 is the agent's own/);
  });

  test('what the rules could not meet is noted', () => {
    const witness = kafkaRequest.witness({ rules: RULES }, here(), []);
    assert.ok('sample' in witness && witness.weaker);
    assert.equal(witness.weaker(NO_PROXY), undefined);
    const note = witness.weaker({ ...NO_PROXY, tls: 2, unread: 3, outside: 'no ss -K here' });
    assert.match(note ?? '', /^no ss -K here; 2 connection.*TLS passed unread.*; 3 request/);
  });

  test('what is wrong with rules and listeners is said by its path', () => {
    const request = (params: object) => ({
      kind: 'kafka.request',
      targets: 'n1',
      params: { ...params },
    });
    const paths = (params: object): string[] =>
      checkFault(request(params), EXAMPLE_TOPOLOGY).map(({ path }) => path);
    assert.deepEqual(paths({ rules: [{ apiKey: 'Produc', duplicate: true }] }), [
      '/params/rules/0/apiKey',
    ]);
    assert.deepEqual(paths({ rules: RULES, listeners: ['cleint'] }), ['/params/listeners/0']);
    assert.deepEqual(paths({ rules: RULES, anyPort: true }), ['/params/anyPort']);
    assert.deepEqual(paths({ rules: RULES, listeners: ['client'], ports: [1] }), [
      '/params/listeners',
    ]);
  });
});
