import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkLimits,
  harmedNodes,
  refusedBy,
  type Blast,
} from '../../../src/core/coordinator/safety.ts';
import { kindNamed } from '../../../src/core/faults/registry.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import type { Limits } from '../../../src/core/model/scenario.ts';

const on = (...targets: string[]): Blast => ({ fault: 'f', targets });

function partition(params: Record<string, unknown>, selected: string[] = []): Blast {
  const kind = kindNamed('network.partition');
  assert.ok(kind?.cuts);
  return {
    fault: 'p',
    targets: kind.targets(params, EXAMPLE_TOPOLOGY, selected),
    cuts: [...kind.cuts(params, EXAMPLE_TOPOLOGY, selected, 'p#1')],
  };
}

function passed(limits: Limits, next: Blast, standing: Blast[] = []): string[] {
  return checkLimits(limits, { topology: EXAMPLE_TOPOLOGY }, standing, next).map(
    (violation) => violation.limit,
  );
}

describe('blast radius', () => {
  it('keeps the majority of the controllers, concurrent faults counted together', () => {
    assert.deepEqual(passed({}, on('n1', 'n2')), []);
    assert.deepEqual(passed({}, on('n1', 'n2', 'n3')), ['quorum']);
    assert.deepEqual(passed({}, on('n3'), [on('n1', 'n2')]), ['quorum']);
    assert.deepEqual(passed({}, on('n1'), [on('n1', 'n2')]), []);
    assert.deepEqual(passed({ keepQuorum: false }, on('n1', 'n2', 'n3')), []);
    assert.deepEqual(passed({}, on('client1'), [on('n1', 'n2')]), []);
  });

  it('counts of a network partition the side that loses', () => {
    assert.deepEqual([...harmedNodes([partition({ shape: 'isolate' }, ['n1'])])], ['n1']);
    assert.deepEqual(passed({}, partition({ shape: 'isolate' }, ['n1', 'n2'])), []);
    assert.deepEqual(passed({}, partition({ shape: 'isolate' }, ['n1', 'n2', 'n3'])), ['quorum']);
    assert.deepEqual(
      passed(
        {},
        partition({
          groups: [
            ['n1', 'n2'],
            ['n3', 'n4', 'n5'],
          ],
        }),
      ),
      [],
    );
    assert.deepEqual(passed({}, partition({ shape: 'majorities-ring' })), []);
    assert.deepEqual(
      passed(
        {},
        partition({
          groups: [
            ['n1', 'n2'],
            ['n3', 'n4', 'n5'],
          ],
        }),
        [on('n4')],
      ),
      ['quorum'],
    );
  });

  it('limits nodes and shares of roles', () => {
    assert.deepEqual(passed({ nodes: 1 }, on('n1', 'n2')), ['nodes']);
    assert.deepEqual(passed({ nodes: 2 }, on('n1', 'n2')), []);
    assert.deepEqual(passed({ roleShare: '1/5' }, on('n1')), []);
    assert.deepEqual(passed({ roleShare: '20%' }, on('n1', 'n2')), ['roleShare', 'roleShare']);
  });

  it('keeps min.insync.replicas, and does not guess without a view', () => {
    const limits = { keepMinInsyncReplicas: true };
    assert.deepEqual(passed(limits, on('n1')), ['minInsyncReplicas']);
    const state = { topic: 't', partition: 0, leader: 1, leaderEpoch: 1, replicas: [1, 2, 3] };
    const check = (isr: number[], known?: number) =>
      checkLimits(
        limits,
        {
          topology: EXAMPLE_TOPOLOGY,
          snapshot: {
            takenAtMs: 0,
            brokers: [],
            topicPartitions: [{ ...state, isr }],
            activeController: 1,
            voters: [],
            ...(known === undefined ? {} : { minInsyncReplicas: { t: known } }),
          },
        },
        [],
        on('n1'),
      ).length;
    assert.equal(check([1, 2, 3]), 0);
    assert.equal(check([1, 2]), 1);
    assert.equal(check([1, 2], 1), 0);
    assert.equal(check([2]), 0, 'one that is short already is not made worse');
  });

  it('lets pass what an override names, and no more', () => {
    const limits = { nodes: 1 };
    const found = checkLimits(limits, { topology: EXAMPLE_TOPOLOGY }, [], on('n1', 'n2', 'n3'));
    const override = { limits: ['nodes' as const], reason: 'a drill' };
    assert.deepEqual(
      refusedBy(found, override).map((problem) => problem.message.split(':')[0]),
      ["limit 'quorum'"],
    );
    assert.equal(refusedBy(found, undefined).length, 2);
  });
});
