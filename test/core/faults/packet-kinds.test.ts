import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { checkFault, kindNamed } from '../../../src/core/faults/registry.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import type { EgressAnswer } from '../../../src/core/model/query-shaping.ts';
import type { FaultKind, Here, Step } from '../../../src/core/model/fault.ts';

function kind(name: string): FaultKind {
  const found = kindNamed(name);
  assert.ok(found);
  return found;
}

const delay = kind('network.delay');

function here(node: string, targets: string[]): Here {
  return {
    faultId: 'late',
    instance: 1,
    token: 'faultline-late1',
    node,
    topology: EXAMPLE_TOPOLOGY,
    targets,
    meets: () => true,
    control: { coordinatorAddresses: [], agentPort: 8611 },
    random: new Random(1).fork(node),
  };
}

function stepOn(node: string, params: object, targets = ['n1']): Step | undefined {
  const [step] = delay.plan(params, here(node, targets), []);
  assert.ok(step === undefined || 'act' in step, JSON.stringify(step));
  return step;
}

function steered(node: string, params: object, targets = ['n1']): string[] {
  const act = stepOn(node, params, targets)?.act;
  if (act === undefined) return [];
  assert.ok(act.act === 'packets.steer');
  return act.steer.peers.map(({ name }) => name);
}

const actors = (params: object, targets: string[]): string[] =>
  delay.actors(params, EXAMPLE_TOPOLOGY, targets, () => true).sort();

suite('whose packets', () => {
  const latency = '100ms';

  test('what a target sends is met by whoever hears it, what it receives by itself', () => {
    const others = ['client1', 'n2', 'n3', 'n4', 'n5'];
    assert.deepEqual(actors({ latency }, ['n1']), others);
    for (const node of others) assert.deepEqual(steered(node, { latency }), ['n1']);
    const inbound = { latency, direction: 'inbound' };
    assert.deepEqual(actors(inbound, ['n1']), ['n1']);
    assert.deepEqual(steered('n1', inbound).sort(), others);
    assert.deepEqual(actors({ latency, direction: 'both' }, ['n1']), [...others, 'n1'].sort());
  });

  test('peers restrict it; two targets hear each other late, too', () => {
    const params = { latency, peers: ['n2', 'n1'] };
    assert.deepEqual(actors(params, ['n1']), ['n2']);
    assert.deepEqual(steered('n2', { latency }, ['n1', 'n2']), ['n1']);
    assert.deepEqual(steered('n3', { latency }, ['n1', 'n2']), ['n1', 'n2']);
  });

  test('listeners become ports at either end', () => {
    const act = stepOn('n2', { latency, listeners: ['replication'], direction: 'both' })?.act;
    assert.ok(act?.act === 'packets.steer');
    assert.equal(act.steer.protocol, 'tcp');
    assert.deepEqual(act.steer.peers[0]?.ports, { local: [9093], remote: [9093] });
  });

  test('pings are met as they are asked, where they are meant and only held', () => {
    const late = (name: string, params: object): boolean | undefined => {
      const [step] = kind(name).plan(params, here('n2', ['n1']), []);
      assert.ok(step && 'act' in step && step.act.act === 'packets.steer');
      return step.act.steer.requestsLate;
    };
    assert.equal(late('network.delay', { latency }), true);
    assert.equal(late('network.delay', { latency, protocols: 'all' }), true);
    assert.equal(late('network.reorder', { gap: 5 }), true);
    for (const less of [{ protocols: 'tcp' }, { ports: [9092] }, { listeners: ['replication'] }])
      assert.equal(late('network.delay', { latency, ...less }), undefined);
    assert.equal(late('network.rate', { rate: '1mbit' }), undefined);
    assert.equal(late('network.loss', { ratio: '1%' }), undefined);
  });

  test('limits: a delayed node suffers, those who hear it do not', () => {
    const cuts = delay.cuts?.({ latency }, EXAMPLE_TOPOLOGY, ['n1'], '');
    assert.deepEqual(cuts?.get('n2'), ['n1']);
    assert.equal(cuts?.get('n1'), undefined);
  });

  test('each node has a seed of its own, the same every time', () => {
    const seed = (node: string): number => {
      const act = stepOn(node, { latency })?.act;
      assert.ok(act?.act === 'packets.steer');
      return act.seed;
    };
    assert.equal(seed('n2'), seed('n2'));
    assert.notEqual(seed('n2'), seed('n3'));
  });
});

suite('by a qdisc', () => {
  const forced = { latency: '50ms', backend: 'netem' };
  const on = (node: string, meets: Here['meets'] = () => true): Here => ({
    ...here(node, ['n1']),
    meets,
  });
  const egress = (more: Partial<EgressAnswer> = {}): EgressAnswer => {
    const addresses = EXAMPLE_TOPOLOGY.nodes.flatMap((node) => node.addresses);
    const devices = Object.fromEntries(addresses.map((address) => [address, 'eth0']));
    return { query: 'egress', devices, foreign: {}, shapers: [], ...more };
  };
  const says = (facts: EgressAnswer): string => {
    const problems = delay.plan(forced, on('n1'), [facts]);
    return problems.map((problem) => ('message' in problem ? problem.message : '')).join('; ');
  };

  test('those who send act, once they are told to, or where there is no queue', () => {
    assert.deepEqual(actors(forced, ['n1']), ['n1']);
    assert.deepEqual(actors({ ...forced, direction: 'inbound', peers: ['n2'] }, ['n1']), ['n2']);
    const { latency } = forced;
    const without = (...needs: string[]): Here['meets'] => {
      return (node, need) => node !== 'n2' || !needs.includes(need);
    };
    const who = (meets: Here['meets']): string[] =>
      delay.actors({ latency }, EXAMPLE_TOPOLOGY, ['n1'], meets);
    assert.ok(!who(() => true).includes('n1'));
    assert.deepEqual(who(without('nfqueue')), ['n1']);
    assert.deepEqual(delay.backend?.({ latency }, on('n1', without('nfqueue')))?.name, 'netem');
    const senders: Here['meets'] = (_node, need) => need !== 'nfqueue' && need !== 'netem';
    assert.ok(!who(senders).includes('n1'), 'nobody can');
    const own = kind('network.reorder').actors(
      { gap: 5 },
      EXAMPLE_TOPOLOGY,
      ['n1'],
      without('nfqueue'),
    );
    assert.ok(!own.includes('n1'), 'netem can’t');
  });

  test('preferred: where all that send have it, and the packet process if not', () => {
    const params = { latency: '50ms', backend: 'netem-or-nfqueue' };
    const lacking =
      (...nodes: string[]): Here['meets'] =>
      (node, need) =>
        need !== 'netem' || !nodes.includes(node);
    const who = (meets: Here['meets'], topology = EXAMPLE_TOPOLOGY): string[] =>
      delay.actors(params, topology, ['n1', 'n2'], meets).sort();
    assert.deepEqual(who(lacking('n3')), ['n1', 'n2']);
    assert.deepEqual(who(lacking('n2')), ['client1', 'n1', 'n2', 'n3', 'n4', 'n5']);
    const nodes = EXAMPLE_TOPOLOGY.nodes.map(({ agent, ...node }) =>
      node.name === 'n1' || agent === undefined ? node : { ...node, agent },
    );
    const agentless = who(lacking(), { ...EXAMPLE_TOPOLOGY, nodes });
    assert.ok(agentless.includes('n3'), 'one that sends has no agent');
    const [step] = delay.plan(params, on('n1', lacking()), [egress()]);
    assert.ok(step && 'act' in step && step.act.act === 'shaping.apply');
    const [other] = delay.plan(params, on('n3', lacking('n1')), []);
    assert.ok(other && 'act' in other && other.act.act === 'packets.steer');
    assert.equal(delay.backend?.(params, on('n3', lacking('n1')))?.name, 'nfqueue');
    const gap = { gap: 5, backend: 'netem-or-nfqueue' };
    const reorder = kind('network.reorder').actors(gap, EXAMPLE_TOPOLOGY, ['n1'], lacking());
    assert.ok(!reorder.includes('n1'), 'netem can’t');
  });

  test('the devices of the peers, their addresses and the shape', () => {
    const [step] = delay.plan(forced, on('n1'), [egress()]);
    assert.ok(step && 'act' in step && step.act.act === 'shaping.apply');
    const { devices, peers, shape } = step.act.shaping;
    assert.deepEqual(devices, ['eth0']);
    assert.ok(!peers.some(({ name }) => name === 'n1'));
    assert.equal(shape.delay?.latencyUs, 50_000);
    assert.deepEqual(step.undo, { act: 'shaping.release', token: 'faultline-late1' });
    const lost: Here['meets'] = (_node, need) => need !== 'netem';
    const [problem] = delay.plan(forced, on('n1', lost), [egress()]);
    assert.match(problem && 'message' in problem ? problem.message : '', /has no netem/);
  });

  test('refused before anything is touched', () => {
    assert.match(says(egress({ devices: {} })), /no way to n2/);
    assert.match(says(egress({ foreign: { eth0: 'eth0 has fq' } })), /eth0 has fq: it could not/);
    const shapers = [{ faultId: 'old', sort: 'time' as const, peers: ['n2'] }];
    assert.match(says(egress({ shapers })), /'old' does the same/);
    assert.equal(says(egress({ shapers: [{ faultId: 'old', sort: 'loss', peers: ['n2'] }] })), '');
    const bent = checkFault(
      {
        kind: 'network.corrupt',
        params: { ratio: '1%', bytes: 3, backend: 'netem' },
        targets: 'n1',
      },
      EXAMPLE_TOPOLOGY,
    );
    assert.match(JSON.stringify(bent), /flips one bit/);
  });
});

suite('loss by rules', () => {
  const loss = kind('network.loss');
  const actOn = (params: object, meets: Here['meets']): string => {
    const [step] = loss.plan(params, { ...here('n2', ['n1']), meets }, []);
    return step && 'act' in step ? step.act.act : (step?.message ?? 'nothing');
  };
  const noQueue: Here['meets'] = (_node, need) => need !== 'nfqueue';

  test('where it is asked for, or there is no queue; never of bursts', () => {
    assert.equal(
      actOn({ ratio: 0.1 }, () => true),
      'packets.steer',
    );
    assert.equal(
      actOn({ ratio: 0.1, backend: 'nft' }, () => true),
      'netfilter.apply',
    );
    assert.equal(actOn({ ratio: 0.1 }, noQueue), 'netfilter.apply');
    assert.match(actOn({ gilbertElliott: { p: 0.1, r: 0.5 } }, noQueue), /no packet queue/);
    const backend = loss.backend?.({ ratio: 0.1 }, { ...here('n2', ['n1']), meets: noQueue });
    assert.match(backend?.note ?? '', /the kernel draws/);
  });
});

suite('what is wrong with a packet fault', () => {
  const problems = (name: string, params: Record<string, unknown>): string[] =>
    checkFault({ kind: name, params, targets: 'n1' }, EXAMPLE_TOPOLOGY)
      .map(({ path }) => path)
      .sort();

  for (const [name, params, paths] of [
    ['network.delay', { latency: '0ms' }, ['/params/latency']],
    [
      'network.delay',
      { latency: '2m', correlation: '1%' },
      ['/params/correlation', '/params/latency'],
    ],
    ['network.delay', { latency: '1s', peers: ['n9'] }, ['/params/peers/0']],
    ['network.loss', {}, ['/params/ratio']],
    ['network.loss', { ratio: 0 }, ['/params/ratio']],
    ['network.loss', { ratio: '1%', gilbertElliott: { p: '1%', r: '9%' } }, ['/params/ratio']],
    ['network.loss', { gilbertElliott: { p: '200%', r: '9%' } }, ['/params/gilbertElliott/p']],
    ['network.loss', { ratio: '1%', correlation: '1%', backend: 'nft' }, ['/params/backend']],
    ['network.duplicate', { ratio: '3/2' }, ['/params/ratio']],
    ['network.reorder', {}, ['/params/ratio']],
    [
      'network.reorder',
      { gap: 5, hold: '1m', correlation: 0.5 },
      ['/params/correlation', '/params/hold'],
    ],
    ['network.rate', { rate: '1kbit', latency: '2m' }, ['/params/latency', '/params/rate']],
    ['network.rate', { rate: '10' }, ['/params/rate']],
  ] as const) {
    test(`${name} ${JSON.stringify(params)}`, () => {
      assert.deepEqual(problems(name, params), [...paths]);
    });
  }
});
