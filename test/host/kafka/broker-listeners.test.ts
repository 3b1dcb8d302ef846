import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BrokerConnection } from '../../../src/host/kafka/broker-connection.ts';
import { describeListeners } from '../../../src/host/kafka/broker-listeners.ts';
import { StubBroker } from '../../support/stub-broker.ts';

const DESCRIBE_CONFIGS = 32;
const NOT_AUTHORIZED = 29;

const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255]);
const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value)]);
const text = (value: string | null): Buffer =>
  value === null ? int16(-1) : Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);

/** DescribeConfigs v2 (Kafka's DescribeConfigsResponse.json) of one broker. */
function configsOf(id: number, error: number, configs: [string, string | null][]): Buffer {
  const entries = configs.map(([name, value]) =>
    // Read-only, of the static configuration, not sensitive, without synonyms.
    Buffer.concat([text(name), text(value), Buffer.from([1, 4, 0]), int32(0)]),
  );
  const head = [int32(0), int32(1), int16(error), text(null), Buffer.from([4]), text(String(id))];
  return Buffer.concat([...head, int32(entries.length), ...entries]);
}

async function ask(answer: Buffer): Promise<{ known: unknown; asked: Buffer[] }> {
  const broker = new StubBroker();
  broker.answer = ({ head }) => {
    if (head.apiKey !== DESCRIBE_CONFIGS) return null;
    return Buffer.concat([int32(4 + answer.length), int32(head.correlationId), answer]);
  };
  const port = await broker.listen();
  const settings = { clientId: 'test', connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 };
  const address = { host: '127.0.0.1', port };
  const connection = new BrokerConnection(address, { ...settings, security: {} });
  try {
    await connection.open();
    const known = await describeListeners(connection, { id: 1, host: 'b1' });
    return { known, asked: broker.requests.map(({ frame }) => frame) };
  } finally {
    connection.close();
    await broker.close();
  }
}

suite('listeners of a broker, asked of itself', () => {
  test('its own, and where it knows controllers', async () => {
    const { known, asked } = await ask(
      configsOf(1, 0, [
        ['listeners', 'CLIENT://:9092,REPLICATION://:9094'],
        ['advertised.listeners', null],
        ['inter.broker.listener.name', 'REPLICATION'],
        ['controller.listener.names', 'CONTROLLER'],
        ['controller.quorum.voters', '101@k1:9093'],
      ]),
    );
    assert.deepEqual(known, [
      {
        id: 1,
        hosts: ['b1'],
        listeners: [
          { name: 'CLIENT', port: 9092, purpose: 'client' },
          { name: 'REPLICATION', port: 9094, purpose: 'replication' },
        ],
      },
      {
        id: 101,
        hosts: ['k1'],
        listeners: [{ name: 'CONTROLLER', port: 9093, purpose: 'controller' }],
      },
    ]);
    const sent = asked.map((frame) => frame.toString('latin1')).join();
    for (const name of ['listeners', 'advertised.listeners', 'security.inter.broker.protocol'])
      assert.ok(sent.includes(name), name);
  });

  test('one that may not be asked says so', async () => {
    await assert.rejects(ask(configsOf(1, NOT_AUTHORIZED, [])), /no configuration of broker 1/);
  });
});
