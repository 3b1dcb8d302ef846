import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { suite, test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { carriesCode } from '../../../src/core/codec/kafka/error-answer.ts';
import { readResponse, writeRequest, writeResponse } from '../../../src/core/codec/kafka/frame.ts';
import type { Struct } from '../../../src/core/codec/kafka/value.ts';
import type { ProxyRule } from '../../../src/core/model/proxy-rule.ts';
import { produce, request, withProxy, type Bench } from '../../support/proxy-bench.ts';
import { echo } from '../../support/stub-broker.ts';
import { until } from '../../support/until.ts';

/** A request of an API or version that no release has, with any bytes behind its head. */
function alien(correlationId: number, size: number, random: Random): Buffer {
  const frame = Buffer.from(Array.from({ length: size }, () => random.below(256)));
  frame.writeInt32BE(size - 4, 0);
  frame.writeInt16BE(random.pick([999, random.below(93)]), 4);
  frame.writeInt16BE(random.pick([30, 77]), 6);
  frame.writeInt32BE(correlationId, 8);
  frame.writeInt16BE(-1, 12);
  return frame;
}

/** Any request that an echoing broker answers. */
function anyRequest(correlationId: number, random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return request(correlationId);
    case 1:
      return produce(correlationId, random.pick([-1, 0, 1]), 'orders', random.below(1_000));
    case 2:
      return produce(correlationId, -1, 'orders', random.below(200_000));
    default:
      return alien(correlationId, random.between(14, 5_000), random);
  }
}

/** Requests that no rule fires for, with rules that read nothing, some of them, or all. */
const TOUCH_NOTHING: ProxyRule[][] = [
  [],
  [{ apiKey: 'EndTxn', duplicate: true }],
  [{ apiKey: 'Produce', topic: 'another', error: 'INVALID_RECORD' }],
  [{ group: 'another', delayBefore: '10m' }],
];

/** Until something that was sent later, through the same proxy, has come back. */
async function othersGoOn(bench: Bench): Promise<void> {
  const other = await bench.client();
  other.send(request(99));
  assert.deepEqual(await other.answers(1), [99]);
}

suite('a proxied connection', () => {
  for (let seed = 1; seed <= 12; seed++) {
    test(`passes on every byte as it came, in whatever pieces: seed ${seed}`, async () => {
      const random = new Random(seed);
      const rules = TOUCH_NOTHING[seed % TOUCH_NOTHING.length] as ProxyRule[];
      await withProxy(rules, async ({ broker, client }) => {
        const app = await client();
        const ids = Array.from({ length: 12 }, (_, index) => index + 1);
        const bytes = Buffer.concat(ids.map((id) => anyRequest(id, random)));
        for (let at = 0; at < bytes.length;) {
          const size = random.pick([1, 3, 500, 70_000, 300_000]);
          app.send(bytes.subarray(at, at + size));
          at += size;
          if (random.below(3) === 0) await turn();
        }
        assert.deepEqual(await app.answers(ids.length), ids);
        assert.ok(Buffer.concat(broker.requests.map(({ frame }) => frame)).equals(bytes));
        const expected = Buffer.concat(broker.requests.map(echo));
        assert.ok(Buffer.concat(app.frames).equals(expected));
      });
    });
  }

  test('an error is answered in its turn, and the broker never sees the request', async () => {
    const rules: ProxyRule[] = [{ apiKey: 'Produce', topic: 'or*', error: 'NOT_ENOUGH_REPLICAS' }];
    await withProxy(rules, async ({ broker, client, shared }) => {
      const app = await client();
      broker.answer = () => null;
      app.send(request(1), produce(2, -1), produce(3, -1, 'other'));
      await until('two requests', () => broker.requests.length === 2);
      assert.deepEqual(app.answered, []);
      broker.answer = undefined;
      app.send(request(4));
      // The first and third are never answered by this broker; ours still comes before the fourth.
      assert.deepEqual(await app.answers(2), [2, 4]);
      assert.deepEqual(
        broker.requests.map(({ head }) => head.correlationId),
        [1, 3, 4],
      );
      const head = { apiKey: 0, version: 9, correlationId: 2, clientId: 'app', bodyAt: 0 };
      const read = readResponse(app.frames[0] as Buffer, head);
      assert.ok(carriesCode(read, 19));
      assert.deepEqual(shared.rules.counts, [{ matched: 1, hits: 1 }]);
    });
  });

  test('acks=0 waits for no answer', async () => {
    const rules: ProxyRule[] = [{ apiKey: 'Heartbeat', nth: 2, error: 'REBALANCE_IN_PROGRESS' }];
    await withProxy(rules, async ({ broker, client }) => {
      broker.answer = (one) => (one.head.apiKey === 0 ? null : echo(one));
      const app = await client();
      app.send(request(1), produce(2, 0), request(3), produce(4, 0), request(5));
      assert.deepEqual(await app.answers(3), [1, 3, 5]);
    });
  });

  test('a late answer comes late, and those behind it after it', async () => {
    await withProxy([{ nth: 1, delayAfter: '10m' }], async (bench) => {
      const { broker, client, shared } = bench;
      const app = await client();
      app.send(request(1), request(2));
      await until('the broker has both', () => broker.requests.length === 2);
      await othersGoOn(bench);
      assert.deepEqual(app.answered, []);
      shared.waiting.release();
      assert.deepEqual(await app.answers(2), [1, 2]);
    });
  });

  test('a held request reaches the broker although its client has gone', async () => {
    await withProxy([{ nth: 2, hold: '10m' }], async (bench) => {
      const { broker, client, shared } = bench;
      const seen = (): number[] => broker.requests.map(({ head }) => head.correlationId);
      const app = await client();
      app.send(request(1), request(2));
      await app.answers(1);
      app.close();
      await othersGoOn(bench);
      assert.deepEqual(seen(), [1, 99]);
      shared.waiting.release();
      await until('the broker has it', () => seen().join() === '1,99,2');
      await until('it is left', () => broker.connections === 1);
    });
  });

  test('lost, doubled, cut off', async () => {
    const rules: ProxyRule[] = [
      { clientId: 'app', apiKey: 'Heartbeat', nth: 2, duplicate: true },
      { apiKey: 'Produce', nth: 1, disconnect: 'after' },
      { apiKey: 'Produce', nth: 2, disconnect: 'before' },
      { apiKey: 'Produce', nth: 3, loseReply: true },
    ];
    await withProxy(rules, async (bench) => {
      const { broker, client } = bench;
      const seen = (): number[] => broker.requests.map(({ head }) => head.correlationId);
      const one = await client();
      one.send(request(1), request(2), request(3));
      assert.deepEqual(await one.answers(3), [1, 2, 3]);
      assert.deepEqual(seen(), [1, 2, 2, 3]);
      one.send(produce(4, -1));
      await one.ended();
      assert.deepEqual([one.answered, seen().at(-1), one.error], [[1, 2, 3], 4, 'ECONNRESET']);
      const two = await client();
      two.send(produce(5, -1));
      await two.ended();
      assert.deepEqual(seen().at(-1), 4);
      const three = await client();
      three.send(produce(6, -1), request(7));
      await until('the broker has both', () => seen().at(-1) === 7);
      await othersGoOn(bench);
      assert.deepEqual([three.answered, three.closed], [[], false]);
    });
  });

  test('a fetch is cut in half', async () => {
    const rules: ProxyRule[] = [{ apiKey: 'Fetch', truncateFetch: '50%' }];
    await withProxy(rules, async ({ broker, client }) => {
      const head = { apiKey: 1, version: 12, correlationId: 9, clientId: null, bodyAt: 0 };
      const records = new Uint8Array(1000);
      broker.answer = () =>
        Buffer.from(
          writeResponse(head, {
            responses: [{ topic: 'orders', partitions: [{ partitionIndex: 0, records }] }],
          }),
        );
      const app = await client();
      app.send(writeRequest(head, { topics: [] }));
      await app.answers(1);
      const [topic = {}] = readResponse(app.frames[0] as Buffer, head)['responses'] as Struct[];
      const [part = {}] = topic['partitions'] as Struct[];
      assert.equal((part['records'] as Uint8Array).length, 500);
    });
  });

  test('a topic that is named by its id is asked for', async () => {
    const topicId = 'ab'.repeat(16);
    const rules: ProxyRule[] = [{ topic: 'orders', error: 'UNKNOWN_TOPIC_ID' }];
    await withProxy(rules, async ({ broker, client }) => {
      broker.answer = (one) =>
        one.head.apiKey === 3
          ? Buffer.from(writeResponse(one.head, { topics: [{ name: 'orders', topicId }] }))
          : echo(one);
      const app = await client();
      const ask = { apiKey: 1, version: 13, correlationId: 4, clientId: null };
      app.send(writeRequest(ask, { topics: [{ topicId, partitions: [{ partition: 1 }] }] }));
      assert.deepEqual(await app.answers(1), [4]);
      assert.deepEqual(
        broker.requests.map(({ head }) => head.apiKey),
        [3],
      );
    });
  });

  test('TLS passes unread; only what looks at nothing applies', async () => {
    const rules: ProxyRule[] = [
      { apiKey: 'Produce', duplicate: true },
      { nth: 2, disconnect: 'before' },
    ];
    await withProxy(rules, async ({ client, shared }) => {
      const hello = Buffer.from('16030100050100000100', 'hex');
      const one = await client();
      one.send(hello);
      const two = await client();
      two.send(hello);
      await two.ended();
      assert.equal(one.closed, false);
      assert.deepEqual([shared.counts.tls, shared.counts.connections], [2, 2]);
    });
  });

  test('random bytes end nothing but their own connection', async () => {
    const rules: ProxyRule[] = [{ topic: 'orders', ratio: '1/2', error: 'INVALID_RECORD' }];
    await withProxy(rules, async ({ client, broker }) => {
      broker.answer = () => null;
      const random = new Random(6);
      for (let round = 0; round < 60; round++) {
        const app = await client();
        const size = random.between(1, 400);
        const bytes = Buffer.from(Array.from({ length: size }, () => random.below(256)));
        if (round % 2 === 0 && size > 12) {
          bytes.writeInt32BE(random.between(8, size - 4), 0);
          bytes.writeInt16BE(random.below(80), 4);
          bytes.writeInt16BE(random.below(14), 6);
        }
        bytes[0] = bytes[0] === 0x16 ? 0 : (bytes[0] as number);
        app.send(bytes);
        app.close();
      }
      broker.answer = undefined;
      const app = await client();
      app.send(request(1));
      assert.deepEqual(await app.answers(1), [1]);
    });
  });

  test('a slow reader slows its broker down, and nothing piles up', async () => {
    await withProxy([], async ({ broker, client }) => {
      const big = Buffer.alloc(1_000_000);
      big.writeInt32BE(big.length - 4, 0);
      broker.answer = ({ head }) => {
        big.writeInt32BE(head.correlationId, 4);
        return Buffer.from(big);
      };
      const app = await client();
      for (let id = 1; id <= 12; id++) app.send(request(id));
      assert.equal((await app.answers(12)).length, 12);
      assert.equal(app.frames.at(-1)?.length, big.length);
    });
  });
});
