import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { RuleSet } from '../../../src/core/proxy/decide.ts';
import { joined } from '../../../src/host/kafka-proxy/serve.ts';
import { ROOM, sharedState, type ProxyShared } from '../../../src/host/kafka-proxy/shared.ts';
import { adopt } from '../../../src/host/kafka-proxy/sockets.ts';
import { TopicNames } from '../../../src/host/kafka-proxy/topic-names.ts';
import { produce, request, withProxy } from '../../support/proxy-bench.ts';
import { RawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

/** Whether nothing of the room that all connections share is taken. */
function isFree(shared: ProxyShared): boolean {
  if (!shared.room.take(ROOM)) return false;
  shared.room.give(ROOM);
  return true;
}

suite('a proxy whose peers go in the middle', () => {
  test('half a request takes its room only as long as its client is there', async () => {
    await withProxy([{ apiKey: 'Produce', duplicate: true }], async ({ client, shared }) => {
      const app = await client();
      app.send(produce(1, -1, 'orders', 1_000_000).subarray(0, 5_000));
      await until('the room to be taken', () => !isFree(shared));
      app.close();
      await until('the room to be free', () => isFree(shared));
    });
  });

  test('half an answer takes its room only as long as its broker is there', async () => {
    await withProxy([], async ({ broker, client, shared }) => {
      shared.rewrite = () => () => undefined;
      const whole = Buffer.alloc(1_000_000);
      whole.writeInt32BE(whole.length - 4, 0);
      whole.writeInt32BE(1, 4);
      broker.answer = () => whole.subarray(0, 5_000);
      const app = await client();
      app.send(request(1));
      await until('the room to be taken', () => !isFree(shared));
      broker.drop();
      await until('the room to be free', () => isFree(shared));
    });
  });

  test('where the broker can not be dialled, the client is not kept waiting', async () => {
    const shared = sharedState(new RuleSet([], new Random(1)));
    const refuse = (): never => {
      throw new Error('ECONNREFUSED');
    };
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (accepted) => {
      assert.throws(() => joined(adopt(accepted), refuse, shared), /ECONNREFUSED/);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const app = await new RawClient((server.address() as AddressInfo).port).opened();
      await app.ended();
      await new TopicNames().ask(refuse);
    } finally {
      server.close();
    }
  });
});
