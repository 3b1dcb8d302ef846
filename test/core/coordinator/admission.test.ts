import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { admit } from '../../../src/core/coordinator/admission.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import { meetsAllBut, NEEDS, type Capability, type Need } from '../../../src/core/model/fault.ts';

/** What nodes said when they tried every need. */
function capabilitiesWithout(unmet: Record<string, Need[]>): Map<string, Capability[]> {
  return new Map(
    EXAMPLE_TOPOLOGY.nodes.map(({ name }) => [
      name,
      NEEDS.map((need) => ({ need, met: unmet[name]?.includes(need) !== true, why: 'a test' })),
    ]),
  );
}

function admitted(kind: string, params: Record<string, unknown>, unmet: Record<string, Need[]>) {
  const capabilities = capabilitiesWithout(unmet);
  const world = { topology: EXAMPLE_TOPOLOGY, limits: {}, capabilities, standing: [] };
  return admit({ id: 'a', kind, params, targets: ['n1'] }, { id: 'a', instance: 1 }, world);
}

suite('what nodes can do', () => {
  test('all actors are told who lacks what, where a kind has alternatives', () => {
    const shape = { shape: 'isolate' };
    const found = admitted('network.partition', shape, { n2: ['nft'], n3: ['cpu.burn'] });
    assert.ok(found.ok, JSON.stringify(found));
    assert.deepEqual(found.value.unmet, { n2: ['nft'] });
    const all = admitted('network.partition', shape, {});
    assert.ok(all.ok);
    assert.equal(all.value.unmet, undefined);
  });

  test('a node that lacks the only way refuses, by name', () => {
    const found = admitted(
      'network.delay',
      { latency: '1s' },
      { n1: ['netem'], n3: ['nfqueue', 'netem'] },
    );
    assert.ok(!found.ok);
    assert.match(found.problems[0]?.message ?? '', /'n3' lacks .*nfqueue \(a test\)/);
  });

  test('what nobody has said is taken to be met', () => {
    const meets = meetsAllBut({ n1: ['nft'] });
    assert.equal(meets('n1', 'nft'), false);
    assert.equal(meets('n1', 'nfqueue'), true);
    assert.equal(meets('n2', 'nft'), true);
  });
});
