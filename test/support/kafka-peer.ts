/**
 * A stub broker or a client of one, as a process of its own in a namespace:
 *   kafka-peer.ts serve PORT               prints a line 'ready', then one a request: API key, correlation id
 *   kafka-peer.ts ask HOST PORT COUNT      COUNT heartbeats, then what came back, as JSON
 *   kafka-peer.ts stay HOST PORT           one heartbeat, then prints 'open' and how it ends
 * With FAULTLINE_TEST_TLS, the path of a certificate and its key in one file, all of it over TLS.
 */
import { readFileSync } from 'node:fs';
import { writeRequest } from '../../src/core/codec/kafka/frame.ts';
import { RawClient } from './raw-client.ts';
import { echo, StubBroker } from './stub-broker.ts';

const pemFile = process.env['FAULTLINE_TEST_TLS'];
const pem = pemFile === undefined ? undefined : readFileSync(pemFile);
const [mode = '', ...rest] = process.argv.slice(2);

const heartbeat = (correlationId: number): Uint8Array =>
  writeRequest({ apiKey: 12, version: 4, correlationId, clientId: 'peer' }, { groupId: 'g' });

const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (mode === 'serve') {
  const broker = new StubBroker(pem === undefined ? undefined : { cert: pem, key: pem });
  broker.answer = (request) => {
    say(`${request.head.apiKey} ${request.head.correlationId}`);
    return echo(request);
  };
  await broker.listen('::', Number(rest[0]));
  say('ready');
} else {
  const [host = '', port = '', count = '1'] = rest;
  const client = new RawClient(Number(port), host, pem !== undefined);
  for (let id = 1; id <= Number(count); id++) client.send(heartbeat(id));
  await client.answers(Number(count));
  if (mode === 'stay') {
    say('open');
    await client.ended();
    say(`ended ${client.error ?? 'quietly'}`);
  } else {
    say(JSON.stringify({ answered: client.answered, error: client.error }));
    client.close();
  }
}
