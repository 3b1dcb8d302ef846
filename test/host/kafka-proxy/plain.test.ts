import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import {
  readResponse,
  writeRequest,
  writeResponse,
  type RequestHead,
} from '../../../src/core/codec/kafka/frame.ts';
import type { Struct } from '../../../src/core/codec/kafka/value.ts';
import { RuleSet } from '../../../src/core/proxy/decide.ts';
import { PlainProxy } from '../../../src/host/kafka-proxy/plain.ts';
import { RawClient } from '../../support/raw-client.ts';
import { echo, StubBroker } from '../../support/stub-broker.ts';
import { until } from '../../support/until.ts';

const METADATA = 3;
const API_VERSIONS = 18;

suite('the plain proxy', () => {
  test('keeps clients to itself: addresses and versions become its own', async () => {
    const brokers = [new StubBroker(), new StubBroker()];
    const ports = await Promise.all(brokers.map((broker) => broker.listen()));
    for (const broker of brokers) {
      broker.answer = (request) => {
        if (request.head.apiKey === METADATA) {
          const named = ports.map((port, index) => ({
            nodeId: index + 1,
            host: '127.0.0.1',
            port,
          }));
          return Buffer.from(writeResponse(request.head, { brokers: named, topics: [] }));
        }
        if (request.head.apiKey === API_VERSIONS) {
          const apiKeys = [{ apiKey: METADATA, minVersion: 0, maxVersion: 99 }];
          return Buffer.from(writeResponse(request.head, { apiKeys }));
        }
        return echo(request);
      };
    }
    const said: string[] = [];
    const proxy = new PlainProxy({
      listen: { host: '127.0.0.1', port: 0 },
      advertise: '127.0.0.1',
      bootstrap: [{ host: '127.0.0.1', port: ports[0] as number }],
      rules: new RuleSet([], new Random(1)),
      said: (line) => said.push(line),
    });
    const port = await proxy.start();
    const client = await new RawClient(port).opened();
    try {
      const head = (apiKey: number, version: number, correlationId: number): RequestHead => ({
        apiKey,
        version,
        correlationId,
        clientId: 'app',
        bodyAt: 0,
      });
      client.send(
        writeRequest(head(API_VERSIONS, 3, 1), {}),
        writeRequest(head(METADATA, 12, 2), { topics: null }),
      );
      assert.deepEqual(await client.answers(2), [1, 2]);
      const [first, second] = client.frames as [Buffer, Buffer];
      const versions = readResponse(first, head(API_VERSIONS, 3, 1));
      assert.equal((versions['apiKeys'] as Struct[])[0]?.['maxVersion'], 13);
      const metadata = readResponse(second, head(METADATA, 12, 2))['brokers'] as Struct[];
      assert.deepEqual(
        metadata.map((broker) => broker['port']),
        [port + 2, port + 3],
      );
      assert.equal(said.length, 2);
      const other = await until('the second broker is reached', async () => {
        const one = new RawClient(port + 3);
        one.send(writeRequest(head(12, 4, 7), {}));
        await one.answers(1);
        one.close();
        return one.answered.length === 1;
      });
      assert.ok(other);
      assert.equal(brokers[1]?.requests.at(-1)?.head.correlationId, 7);
    } finally {
      client.close();
      proxy.close();
      for (const broker of brokers) await broker.close();
    }
  });

  test('a broker that no port is left for is told of, and ends nothing', async () => {
    const broker = new StubBroker();
    const behind = await broker.listen();
    const named = [{ nodeId: 999, host: 'far.example', port: 9092 }];
    broker.answer = (request) =>
      Buffer.from(writeResponse(request.head, { brokers: named, topics: [] }));
    const said: string[] = [];
    const open = async (port: number): Promise<[PlainProxy, number]> => {
      const proxy = new PlainProxy({
        listen: { host: '127.0.0.1', port },
        advertise: '127.0.0.1',
        bootstrap: [{ host: '127.0.0.1', port: behind }],
        rules: new RuleSet([], new Random(1)),
        said: (line) => said.push(line),
      });
      return proxy.start().then(
        (bound) => [proxy, bound],
        () => open(port + 1),
      );
    };
    const [proxy, port] = await open(65_000 + (process.pid % 400));
    const client = await new RawClient(port).opened();
    const head = { apiKey: METADATA, version: 12, clientId: 'app', bodyAt: 0 };
    try {
      for (const correlationId of [1, 2])
        client.send(writeRequest({ ...head, correlationId }, { topics: null }));
      assert.deepEqual(await client.answers(2), [1, 2]);
      const answer = readResponse(client.frames[1] as Buffer, { ...head, correlationId: 2 });
      assert.equal((answer['brokers'] as Struct[])[0]?.['host'], 'far.example');
      assert.equal(said.length, 1);
      assert.match(said[0] ?? '', /no port above \d+ is left for far\.example:9092/);
    } finally {
      client.close();
      proxy.close();
      await broker.close();
    }
  });
});
