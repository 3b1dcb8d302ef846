import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { networkPartition } from '../../../src/core/faults/network.partition.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import { bitten, momentOf, type Timeline } from '../../../src/core/model/timeline.ts';
import { CASES, hereOf } from '../../conformance/cases.ts';

suite('timelines', () => {
  test('begin with on, change when they say, and are the same from the same seed', () => {
    const flap = {
      seed: 'a#1',
      on: { leastMs: 100, mostMs: 300 },
      off: { leastMs: 50, mostMs: 60 },
    };
    let atMs = 0;
    for (let phase = 0; phase < 50; phase++) {
      const moment = momentOf({ flap }, atMs);
      assert.equal(moment.on, phase % 2 === 0);
      const { leastMs, mostMs } = moment.on ? flap.on : flap.off;
      assert.ok(moment.nextMs - atMs >= leastMs && moment.nextMs - atMs <= mostMs);
      assert.deepEqual(momentOf({ flap }, moment.nextMs - 1).on, moment.on);
      atMs = moment.nextMs;
    }
    assert.notEqual(
      momentOf({ flap: { ...flap, seed: 'b#1' } }, 0).nextMs,
      momentOf({ flap }, 0).nextMs,
    );
  });

  test('what has ended does not come back', () => {
    const timeline: Timeline = { ends: { n2: 100, n3: 200 } };
    assert.deepEqual([...bitten(timeline, ['n2', 'n3', 'n4'], 99)], ['n2', 'n3', 'n4']);
    assert.deepEqual([...bitten(timeline, ['n2', 'n3', 'n4'], 100)], ['n3', 'n4']);
    assert.equal(momentOf(timeline, 0).nextMs, 100);
    assert.equal(momentOf(timeline, 200).nextMs, Infinity);
  });

  test('both ends of a link heal at the same instant, within the duration', () => {
    const each = CASES.find(({ params }) => params['healing'] === 'staggered');
    assert.ok(each);
    const ends = new Map<string, number>();
    for (const node of each.actors) {
      const [step] = networkPartition.plan(each.params, hereOf(each, node), []);
      assert.ok(step && 'act' in step && step.act.act === 'netfilter.apply');
      for (const [peer, endMs] of Object.entries(step.act.rules.timeline?.ends ?? {})) {
        assert.ok(endMs >= 30_000 && endMs < 60_000);
        const pair = [node, peer].sort().join(' ');
        assert.equal(ends.get(pair) ?? endMs, endMs, pair);
        ends.set(pair, endMs);
      }
    }
    assert.ok(new Set(ends.values()).size > 1);
    const years = { ...hereOf(each, 'n1'), durationMs: 3_650 * 86_400_000 };
    const [longest] = networkPartition.plan(each.params, years, []);
    assert.ok(longest && 'act' in longest);
    const here = { ...hereOf(each, 'n1'), topology: EXAMPLE_TOPOLOGY };
    delete here.durationMs;
    const [problem] = networkPartition.plan(each.params, here, []);
    assert.ok(problem && 'message' in problem && problem.path === '/healing');
  });

  test('lengths that no draw spans are refused', () => {
    const flap = { on: ['1s', '60d'], off: '50ms' };
    const params = { groups: [['n1'], ['n2']], flap };
    const problems = networkPartition.check?.(params, EXAMPLE_TOPOLOGY) ?? [];
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['/flap/on', '/flap/off'],
    );
  });
});
