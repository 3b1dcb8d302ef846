import { connect, createServer, type AddressInfo } from 'node:net';
import { Random } from '../../src/core/base/random.ts';
import { writeRequest } from '../../src/core/codec/kafka/frame.ts';
import type { Struct } from '../../src/core/codec/kafka/value.ts';
import type { ProxyRule } from '../../src/core/model/proxy-rule.ts';
import { RuleSet } from '../../src/core/proxy/decide.ts';
import { ProxiedConnection } from '../../src/host/kafka-proxy/connection.ts';
import { sharedState, type ProxyShared } from '../../src/host/kafka-proxy/shared.ts';
import { adopt } from '../../src/host/kafka-proxy/sockets.ts';
import { RawClient } from './raw-client.ts';
import { StubBroker } from './stub-broker.ts';

export interface Bench {
  broker: StubBroker;
  shared: ProxyShared;
  client(): Promise<RawClient>;
}

/** A stub broker behind a proxy with rules. */
export async function withProxy(
  rules: ProxyRule[],
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const broker = new StubBroker();
  const port = await broker.listen();
  const shared = sharedState(new RuleSet(rules, new Random(1)));
  const dial = () => connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (accepted) => {
    void new ProxiedConnection(adopt(accepted), { socket: dial() }, shared, dial);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clients: RawClient[] = [];
  const client = (): Promise<RawClient> => {
    const one = new RawClient((server.address() as AddressInfo).port);
    clients.push(one);
    return one.opened();
  };
  try {
    await body({ broker, shared, client });
  } finally {
    for (const one of clients) one.close();
    server.close();
    await broker.close();
  }
}

export const HEARTBEAT = 12;
export const request = (correlationId: number, apiKey = HEARTBEAT, body: Struct = {}): Uint8Array =>
  writeRequest({ apiKey, version: apiKey === 0 ? 9 : 4, correlationId, clientId: 'app' }, body);

export const produce = (
  correlationId: number,
  acks: number,
  topic = 'orders',
  size = 10,
): Uint8Array =>
  request(correlationId, 0, {
    transactionalId: null,
    acks,
    topicData: [{ name: topic, partitionData: [{ index: 0, records: new Uint8Array(size) }] }],
  });
