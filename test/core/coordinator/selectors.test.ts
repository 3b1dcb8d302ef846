import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Random } from '../../../src/core/base/random.ts';
import { checkSelector, resolveSelector } from '../../../src/core/coordinator/selectors.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import { isLive, parseSelector } from '../../../src/core/model/selector-parse.ts';
import type { ClusterSnapshot } from '../../../src/core/model/topology.ts';

const topicPartition = { topic: 'orders', partition: 3, leaderEpoch: 7 };
const SNAPSHOT: ClusterSnapshot = {
  takenAtMs: 0,
  brokers: [1, 2, 3, 4, 5].map((id) => ({ id, host: `198.18.0.${id}`, port: 9092 })),
  topicPartitions: [
    { ...topicPartition, leader: 2, replicas: [1, 2, 3], isr: [2, 3] },
    { ...topicPartition, topic: '__consumer_offsets', leader: 3, replicas: [3, 1], isr: [3] },
    { ...topicPartition, topic: 'my-topic', leader: -1, replicas: [1], isr: [] },
  ],
  activeController: 4,
  voters: [1, 2, 3],
};
const WORLD = { topology: EXAMPLE_TOPOLOGY, snapshot: SNAPSHOT };

function resolve(text: string, seed = 1): string[] | string {
  const parsed = parseSelector(text);
  if (!parsed.ok) return parsed.problems.map((problem) => problem.message).join('; ');
  const resolved = resolveSelector(parsed.value, WORLD, new Random(seed));
  return resolved.ok
    ? resolved.value
    : resolved.problems.map((problem) => problem.message).join('; ');
}

describe('selectors', () => {
  const cases: [string, string[]][] = [
    ['n1', ['n1']],
    ['role(client)', ['client1']],
    ['rack(r1)', ['n1', 'n4']],
    ['all', ['n1', 'n2', 'n3', 'n4', 'n5']],
    ['leader(orders-3)', ['n2']],
    ['followers(orders-3)', ['n1', 'n3']],
    ['isr(orders-3)', ['n2', 'n3']],
    ['leader(__consumer_offsets-3)', ['n3']],
    ['controller.active', ['n4']],
    ['controller.quorum', ['n1', 'n2', 'n3']],
    ['all - leader(orders-3)', ['n1', 'n3', 'n4', 'n5']],
    ['all - rack(r1) & role(broker)', ['n2', 'n3', 'n5']],
    ['(all - rack(r1)) & isr(orders-3)', ['n2', 'n3']],
    ['n1 | client1', ['client1', 'n1']],
    ['all of rack(r2)', ['n2', 'n5']],
  ];
  for (const [text, names] of cases) it(text, () => assert.deepEqual(resolve(text), names));

  it('picks as many as the word says, the same for the same seed', () => {
    assert.equal(resolve('one').length, 1);
    assert.equal(resolve('minority').length, 2);
    assert.equal(resolve('majority').length, 3);
    assert.equal(resolve('random(4)').length, 4);
    assert.equal(resolve('majority of rack(r1)').length, 2);
    assert.deepEqual(resolve('random(2) of all', 9), resolve('random(2) of all', 9));
    const seen = new Set(Array.from({ length: 50 }, (_, seed) => String(resolve('one', seed))));
    assert.equal(seen.size, 5);
  });

  const wrong: [string, RegExp][] = [
    ['', /a selector is missing/],
    ['n1, n2', /',' has no meaning.*a union is written 'a | b'/],
    ['(n1', /'\)' is missing/],
    ['n1 n2', /'n2' is one word too many/],
    ['leader(orders)', /no topic-partition/],
    ['leeder(orders-1) | rol(broker)', /'leeder'.*'rol'/],
    ['random(0)', /random\(0\)/],
    ['n9 | n8 | role(brokr)', /'n9'.*'n8'.*'brokr'/],
    ['leader(order-3)', /topic 'order' is not known/],
    ['leader(orders-9)', /no topic-partition 9/],
    ['leader(my-topic-3)', /there is no leader now/],
    ['n1 & n2', /names nobody/],
    ['random(6)', /random\(6\) of 5/],
    ['minority of n1', /a minority of 1/],
    [`${'('.repeat(40)}n1`, /nested deeper/],
  ];
  for (const [text, message] of wrong)
    it(`refuses '${text.slice(0, 40)}'`, () => assert.match(String(resolve(text)), message));

  it('finds what is wrong without looking at the cluster', () => {
    const parsed = parseSelector('leader(any-0) | one of n9 | role(broker)');
    assert.ok(parsed.ok && isLive(parsed.value));
    const problems = checkSelector(parsed.value, EXAMPLE_TOPOLOGY, new Random(1));
    assert.deepEqual(
      problems.map((problem) => problem.message),
      ["no node is called 'n9'"],
    );
  });

  it('never throws, whatever the text', () => {
    const word = fc.constantFrom(
      'n1',
      'one',
      'of',
      'all',
      '(',
      ')',
      '|',
      '&',
      '-',
      'role(broker)',
      'x,',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join(' ')),
        ),
        (text) => {
          const result = resolve(text);
          assert.ok(typeof result === 'string' ? result !== '' : result.length > 0);
        },
      ),
      { seed: 20261123, numRuns: 500 },
    );
  });

  it('is set algebra', () => {
    const name = fc.constantFrom(
      'n1',
      'n2',
      'rack(r1)',
      'rack(r2)',
      'role(broker)',
      'isr(orders-3)',
    );
    const set = (text: string): Set<string> => {
      const result = resolve(text);
      return new Set(typeof result === 'string' ? [] : result);
    };
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        assert.deepEqual(set(`${a} | ${b}`), set(`${b} | ${a}`));
        assert.deepEqual(set(`${a} & (${b} | ${c})`), set(`(${a} & ${b}) | (${a} & ${c})`));
        for (const each of set(`${a} - ${b}`)) assert.ok(!set(b).has(each));
      }),
      { seed: 20261123, numRuns: 200 },
    );
  });
});
