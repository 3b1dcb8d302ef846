import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { checkSchema } from '../../../src/core/base/schema.ts';
import {
  readRequestBody,
  readRequestHead,
  writeRequest,
} from '../../../src/core/codec/kafka/frame.ts';
import type { Struct } from '../../../src/core/codec/kafka/value.ts';
import { matchesPattern, RuleSet } from '../../../src/core/proxy/decide.ts';
import { factsOf, nameTopics, type RequestFacts } from '../../../src/core/proxy/request-facts.ts';
import { ProxyRules, type ProxyRule } from '../../../src/core/model/proxy-rule.ts';
import { checkRules, isBlind } from '../../../src/core/proxy/rule.ts';

const PRODUCE = 0;
const FETCH = 1;

function facts(apiKey: number, version: number, body: Struct): RequestFacts {
  const frame = writeRequest({ apiKey, version, correlationId: 1, clientId: 'app' }, body);
  const head = readRequestHead(frame);
  return factsOf(head, readRequestBody(frame, head) as Struct);
}

const produce = (topic: string, index: number): RequestFacts =>
  facts(PRODUCE, 9, {
    transactionalId: null,
    topicData: [{ name: topic, partitionData: [{ index, records: null }] }],
  });

const rules = (...list: ProxyRule[]): RuleSet => new RuleSet(list, new Random(3));
const head = { apiKey: PRODUCE, clientId: 'app-1' };

suite('rules of the proxy', () => {
  test('the first that matches and fires, fires alone', () => {
    const set = rules(
      { apiKey: 'Fetch', duplicate: true },
      { apiKey: 'Produce', topic: 'other', loseReply: true },
      { apiKey: ['Produce', 'Metadata'], topic: 'ord*', nth: 2, error: 'NOT_LEADER_OR_FOLLOWER' },
      { clientId: 'app-*', delayAfter: '2s' },
    );
    assert.deepEqual(set.decide(head, produce('orders', 1))?.rule, 3);
    const second = set.decide(head, produce('orders', 1));
    assert.deepEqual(second, { rule: 2, action: { do: 'error', code: 6 }, topic: 'ord*' });
    assert.deepEqual(set.decide(head, produce('orders', 1))?.action, {
      do: 'delayAfter',
      ms: 2000,
    });
    assert.deepEqual(
      set.counts.map(({ hits }) => hits),
      [0, 0, 1, 2],
    );
    assert.equal(set.decide({ apiKey: FETCH, clientId: null }, undefined)?.rule, 0);
  });

  test('once fires once; a ratio fires alike from the same seed', () => {
    const once = rules({ apiKey: 'Produce', once: true, duplicate: true });
    assert.ok(once.decide(head, undefined));
    assert.equal(once.decide(head, undefined), undefined);
    const fired = (): boolean[] => {
      const set = rules({ ratio: '1/3', duplicate: true });
      return Array.from({ length: 300 }, () => set.decide(head, undefined) !== undefined);
    };
    assert.deepEqual(fired(), fired());
    const share = fired().filter(Boolean).length;
    assert.ok(share > 60 && share < 140, String(share));
  });

  test('a rule that asks what a body says passes what cannot be read', () => {
    const set = rules({ topic: 'orders', duplicate: true }, { error: 'REQUEST_TIMED_OUT' });
    assert.ok(set.concerns(head) && set.needsBody(head) && set.asksTopics(head));
    assert.equal(set.decide(head, undefined), undefined);
    const plain = rules({ apiKey: 'Fetch', duplicate: true });
    assert.ok(!plain.concerns(head) && !plain.needsBody({ apiKey: FETCH, clientId: null }));
  });

  test('only what looks at nothing meets connections that cannot be read', () => {
    const set = rules(
      { apiKey: 'Produce', disconnect: 'before' },
      { nth: 2, disconnect: 'before' },
    );
    assert.equal(set.decideBlind(), undefined);
    assert.equal(set.decideBlind()?.rule, 1);
    assert.ok(isBlind({ disconnect: 'before' }) && !isBlind({ duplicate: true }));
  });

  test('patterns', () => {
    for (const [pattern, text] of [
      ['orders', 'orders'],
      ['*', ''],
      ['or*s', 'orders'],
      ['*d*r*', 'orders'],
      ['a*a', 'aa'],
    ] as const) {
      assert.ok(matchesPattern(pattern, text), pattern);
    }
    for (const [pattern, text] of [
      ['a*a', 'a'],
      ['orders', 'orders-2'],
      ['*x*', 'orders'],
      ['or*x*s', 'orders'],
    ] as const) {
      assert.ok(!matchesPattern(pattern, text), pattern);
    }
  });
});

suite('what a request names', () => {
  test('topics, topic-partitions, transactional ids and groups', () => {
    assert.deepEqual([...produce('orders', 3).topicPartitions], ['orders-3']);
    const commit = facts(28, 3, {
      transactionalId: 't1',
      groupId: 'g1',
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 2 }] }],
    });
    assert.deepEqual([...commit.transactionalIds, ...commit.groups], ['t1', 'g1']);
    assert.deepEqual([...commit.topicPartitions], ['orders-2']);
    const add = facts(24, 4, {
      transactions: [{ transactionalId: 't2', topics: [{ name: 'orders', partitions: [0, 1] }] }],
    });
    assert.deepEqual(
      [...add.transactionalIds, ...add.topicPartitions],
      ['t2', 'orders-0', 'orders-1'],
    );
    const find = facts(10, 4, { keyType: 1, coordinatorKeys: ['t3'] });
    assert.deepEqual([[...find.transactionalIds], [...find.groups]], [['t3'], []]);
    assert.deepEqual([...facts(12, 4, { groupId: 'g2', memberId: 'm' }).groups], ['g2']);
  });

  test('a topic known by its id gets its name where somebody knows it', () => {
    const topicId = 'ab'.repeat(16);
    const found = facts(FETCH, 13, { topics: [{ topicId, partitions: [{ partition: 7 }] }] });
    assert.deepEqual(nameTopics(found, new Map()), [topicId]);
    assert.deepEqual(nameTopics(found, new Map([[topicId, 'orders']])), []);
    assert.deepEqual([...found.topicPartitions], ['orders-7']);
  });
});

suite('rules as a document', () => {
  const problems = (rule: object): string[] => {
    const checked = checkSchema(ProxyRules, [rule]);
    const all = checked.ok ? checkRules(checked.value) : checked.problems;
    return all.map(({ path, message, nearMiss }) => `${path} ${message} ${nearMiss ?? ''}`.trim());
  };

  test('a rule does exactly one thing, and names what exists', () => {
    assert.match(problems({}).join(), /exactly one thing/);
    assert.match(problems({ duplicate: true, loseReply: true }).join(), /exactly one thing/);
    assert.match(problems({ apiKey: 'Produc', duplicate: true }).join(), /no API.*Produce$/);
    assert.match(problems({ error: 'NOT_LEADER' }).join(), /no error/);
    assert.match(problems({ delayAfter: '0s' }).join(), /over zero/);
    assert.match(problems({ hold: '25d' }).join(), /at most 1d/);
    assert.deepEqual(problems({ hold: '24h' }), []);
    assert.match(problems({ truncateFetch: '50%' }).join(), /needs 'apiKey: Fetch'/);
    assert.match(problems({ nth: 1, ratio: 0.5, duplicate: true }).join(), /not both/);
    assert.match(problems({ errors: 'X' }).join(), /unknown field/);
    assert.deepEqual(problems({ apiKey: 'Fetch', truncateFetch: '50%' }), []);
  });
});
