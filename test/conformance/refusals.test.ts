import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { KINDS } from '../../src/core/faults/registry.ts';
import { EXAMPLE_TOPOLOGY } from '../../src/core/model/example-topology.ts';
import { FakeLinux } from '../support/fake-linux.ts';
import { factsOf, hereOf, machine, planOf, type Case, type Params } from './cases.ts';

suite('refused', () => {
  const caseOf = (kind: string, params: Params, selected = ['n1']): Case => {
    const found = KINDS.find((one) => one.kind === kind);
    assert.ok(found);
    return { name: kind, kind: found, params, selected, actors: ['n1'] };
  };
  const problemsOf = async (each: Case, linux: FakeLinux, here = hereOf(each, 'n1')) => {
    const plan = each.kind.plan(each.params, here, await factsOf(each, here, linux));
    return plan.flatMap((part) => ('message' in part ? [part.message] : []));
  };

  test('another number of processes than expected', async () => {
    const nobody = caseOf('process.pause', { process: { argumentParts: ['nobody'] } });
    assert.match((await problemsOf(nobody, machine())).join(), /0 process\(es\) match/);
    const linux = machine();
    linux.addProcess(['/usr/bin/java', 'kafka.Kafka']);
    const two = { argumentParts: ['kafka.Kafka'] };
    assert.match(
      (await problemsOf(caseOf('process.pause', { process: two }), linux)).join(),
      /2 proc/,
    );
    const expected = caseOf('process.pause', { process: { ...two, expect: 2 } });
    assert.deepEqual(await problemsOf(expected, linux), []);
  });

  test('pid 1 and its like, by name', async () => {
    for (const kind of ['process.pause', 'process.kill']) {
      const each = caseOf(kind, { process: { glob: '*init*' } });
      assert.match((await problemsOf(each, machine())).join(), /must not be touched: pid 1/);
    }
  });

  test('a service nobody knows, or nobody can start', async () => {
    const unknown = caseOf('process.kill', { process: { service: 'zookeeper' } });
    assert.match((await problemsOf(unknown, machine())).join(), /no service 'zookeeper'/);
    const linux = new FakeLinux();
    linux.addService('broker', ['/usr/bin/java', 'kafka.Kafka'], { startable: false });
    const restart = caseOf('process.kill', { restart: 'heal' });
    assert.match((await problemsOf(restart, linux)).join(), /does not say how to start/);
    const here = hereOf(restart, 'n1');
    const [step] = await planOf(caseOf('process.kill', {}), here, linux);
    assert.ok(step && 'irreversible' in step.undo);
  });

  test('what somebody else has stopped', async () => {
    const linux = machine();
    const each = caseOf('process.pause', {});
    const [step] = await planOf(each, hereOf(each, 'n1'), linux);
    assert.ok(step);
    await linux.perform(step.act);
    assert.match((await problemsOf(each, linux)).join(), /stopped already/);
  });

  test('nodes that share an address, by name', async () => {
    const each = caseOf('network.partition', { groups: [['n1'], ['n2']] }, []);
    const shared = EXAMPLE_TOPOLOGY.nodes.map((node) =>
      node.name === 'n3' ? { ...node, addresses: ['::ffff:198.18.0.2'] } : node,
    );
    const here = { ...hereOf(each, 'n1'), topology: { name: 'nat', nodes: shared } };
    assert.match((await problemsOf(each, machine(), here)).join(), /'n2' and 'n3' share/);
    const hosts = EXAMPLE_TOPOLOGY.nodes.map((node) =>
      node.name === 'n2' ? { ...node, addresses: ['broker-2.example'] } : node,
    );
    const named = { ...hereOf(each, 'n1'), topology: { name: 'names', nodes: hosts } };
    assert.match((await problemsOf(each, machine(), named)).join(), /IPv4 or IPv6/);
  });

  test('whoever meets packets by their source refuses a shared one, whatever the kind', async () => {
    const shared = EXAMPLE_TOPOLOGY.nodes.map((node) =>
      node.name === 'n3' ? { ...node, addresses: ['198.18.0.3', '198.18.0.2'] } : node,
    );
    const kinds = KINDS.filter(({ kind }) => kind.startsWith('network.') && kind !== 'network.dns');
    assert.ok(kinds.length >= 8);
    for (const { kind, examples } of kinds) {
      const params = kind === 'network.partition' ? { shape: 'isolate' } : examples[0]?.params;
      const each = caseOf(kind, params as Params, ['n2']);
      const topology = { name: 'nat', nodes: shared };
      const found = ['n1', 'n2'].map((node) => ({ ...hereOf(each, node), topology }));
      const problems = await Promise.all(found.map((here) => problemsOf(each, machine(), here)));
      assert.match(problems.join(), /'n2' and (this node|'n3') share|'n3' and .* share/, kind);
    }
  });

  test('a backend that was asked for and is not there, by what it lacks', async () => {
    const cases = [
      ['network.partition', { shape: 'isolate' }],
      ['network.loss', { ratio: '5%', direction: 'inbound' }],
      ['network.reset', {}],
    ] as const;
    for (const [kind, params] of cases) {
      for (const [backend, need] of [
        ['nft', 'nft'],
        ['iptables', 'iptables'],
      ] as const) {
        const each = caseOf(kind, { ...params, backend });
        const here = { ...hereOf(each, 'n1'), meets: (_: string, one: string) => one !== need };
        const found = (await problemsOf(each, machine(), here)).join();
        assert.ok(
          found.includes(`'n1' can't do it with ${backend}: it does not meet ${need}`),
          kind,
        );
        assert.notEqual(each.kind.backend?.(each.params, here).name, backend);
        const unforced = caseOf(kind, params);
        assert.deepEqual(await problemsOf(unforced, machine(), here), [], kind);
      }
    }
    const queue = caseOf('network.loss', { ratio: '5%', direction: 'inbound', backend: 'nfqueue' });
    const without = {
      ...hereOf(queue, 'n1'),
      meets: (_: string, one: string) => one !== 'nfqueue',
    };
    assert.match((await problemsOf(queue, machine(), without)).join(), /'n1' has no packet queue/);
  });
});
