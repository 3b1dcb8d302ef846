import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite, test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { carriesCode } from '../../../src/core/codec/kafka/error-answer.ts';
import { readResponse, writeRequest, writeResponse } from '../../../src/core/codec/kafka/frame.ts';
import type { Struct } from '../../../src/core/codec/kafka/value.ts';
import type { ProxyRule } from '../../../src/core/model/proxy-rule.ts';
import { produce, request, withProxy } from '../../support/proxy-bench.ts';
import { echo } from '../../support/stub-broker.ts';
import { until } from '../../support/until.ts';

/** A request of an API and version that no release has. */
function alien(correlationId: number, size: number): Buffer {
  const frame = Buffer.alloc(size, 0x5a);
  frame.writeInt32BE(size - 4, 0);
  frame.writeInt16BE(999, 4);
  frame.writeInt16BE(77, 6);
  frame.writeInt32BE(correlationId, 8);
  frame.writeInt16BE(-1, 12);
  return frame;
}

suite('a proxied connection', () => {
  test('passes on every byte as it came, in whatever pieces', async () => {
    await withProxy([{ apiKey: 'EndTxn', duplicate: true }], async ({ broker, client }) => {
      const app = await client();
      const frames = [request(1), alien(2, 700), produce(3, -1, 'orders', 200_000), alien(4, 3000)];
      const bytes = Buffer.concat(frames);
      const random = new Random(5);
      for (let at = 0; at < bytes.length;) {
        const size = random.pick([1, 3, 500, 70_000]);
        app.send(bytes.subarray(at, at + size));
        at += size;
        if (random.below(3) === 0) await sleep(1);
      }
      assert.deepEqual(await app.answers(4), [1, 2, 3, 4]);
      assert.deepEqual(Buffer.concat(broker.requests.map(({ frame }) => frame)), bytes);
      const expected = Buffer.concat(broker.requests.map(echo));
      assert.deepEqual(Buffer.concat(app.frames), expected);
    });
  });

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
    await withProxy([{ nth: 1, delayAfter: '10m' }], async ({ broker, client, shared }) => {
      const app = await client();
      app.send(request(1), request(2));
      await until('the broker has both', () => broker.requests.length === 2);
      await sleep(50);
      assert.deepEqual(app.answered, []);
      shared.waiting.release();
      assert.deepEqual(await app.answers(2), [1, 2]);
    });
  });

  test('a held request reaches the broker although its client has gone', async () => {
    await withProxy([{ nth: 2, hold: '10m' }], async ({ broker, client, shared }) => {
      const app = await client();
      app.send(request(1), request(2));
      await app.answers(1);
      app.close();
      await sleep(50);
      assert.equal(broker.requests.length, 1);
      shared.waiting.release();
      await until('the broker has it', () => broker.requests.length === 2);
      await until('the broker is left', () => broker.connections === 0);
    });
  });

  test('lost, doubled, cut off', async () => {
    const rules: ProxyRule[] = [
      { clientId: 'app', apiKey: 'Heartbeat', nth: 2, duplicate: true },
      { apiKey: 'Produce', nth: 1, disconnect: 'after' },
      { apiKey: 'Produce', nth: 2, disconnect: 'before' },
      { apiKey: 'Produce', nth: 3, loseReply: true },
    ];
    await withProxy(rules, async ({ broker, client }) => {
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
      await sleep(50);
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
