import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { alterUserScramCredentialsV0 } from '@platformatic/kafka';
import { createTopic, LATEST, listOffset } from '../../src/host/kafka/admin.ts';
import { ClusterConnections, parseBootstrap } from '../../src/host/kafka/cluster-connections.ts';
import { produce } from '../../src/host/kafka/produce-request.ts';
import { encodeBatch } from '../../src/host/kafka/record-batch.ts';
import { securityOptions } from '../../src/host/kafka/security.ts';
import { ClusterView } from '../../src/host/kafka/view.ts';
import type { LabDescription } from '../../src/host/lab/describe.ts';
import { INSIDE, nodeDirectory, placeOf } from '../../src/host/lab/place.ts';
import { askInit } from '../../src/host/lab/requests.ts';
import { Certificates } from '../support/certificates.ts';
import { withLab } from '../support/lab.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'not "quite" \\ easy';
const SCRAM = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 } as const;
const PORTS = { SASL_PLAINTEXT: 9195, SSL: 9196, SASL_SSL: 9197 } as const;

type Properties = Record<string, string>;

/** As Kafka's documentation of client configuration writes it. */
function login(mechanism: string, password = PASSWORD): Properties {
  const name = mechanism === 'PLAIN' ? 'plain.Plain' : 'scram.Scram';
  const quoted = password.replaceAll(/["\\]/g, String.raw`\$&`);
  const module = `org.apache.kafka.common.security.${name}LoginModule`;
  return {
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': `${module} required username="tester" password="${quoted}";`,
  };
}

/** Three listeners more, one a protocol, in the node's server.properties. */
function secure(lab: LabDescription, directory: string): Certificates {
  mkdirSync(directory, { recursive: true });
  const certificates = new Certificates(directory);
  const address = lab.nodes[0]?.address ?? '';
  certificates.sign('broker', [`IP:${address}`]);
  const file = join(nodeDirectory(placeOf(lab.name), 'n1'), 'etc', 'server.properties');
  const more = Object.entries(PORTS).map(([name, port]) => `${name}://${address}:${port}`);
  const map = Object.keys(PORTS).map((name) => `${name}:${name}`);
  const text = readFileSync(file, 'utf8')
    .replace(/^(listeners|advertised\.listeners)=.*$/gm, (line) => [line, ...more].join(','))
    .replace(/^listener\.security\.protocol\.map=.*$/m, (line) => [line, ...map].join(','));
  writeFileSync(file, text);
  const inside = `${INSIDE.node}/etc/tls`;
  const jaas = login('PLAIN')['sasl.jaas.config']?.replace(/;$/, '') ?? '';
  const password = /password=(".*")$/.exec(jaas)?.[1] ?? '';
  const written = (value: string): string => value.replaceAll('\\', String.raw`\\`);
  const settings = Object.entries<string>({
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': `${inside}/broker.pem`,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': `${inside}/authority.pem`,
    'listener.name.ssl.ssl.client.auth': 'required',
    ...Object.fromEntries(
      ['sasl_plaintext', 'sasl_ssl'].flatMap((listener) => [
        [`listener.name.${listener}.plain.sasl.jaas.config`, `${jaas} user_tester=${password};`],
        ...Object.keys(SCRAM).map((mechanism) => [
          `listener.name.${listener}.${mechanism.toLowerCase()}.sasl.jaas.config`,
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        ]),
      ]),
    ),
  });
  appendFileSync(file, settings.map(([key, value]) => `${key}=${written(value)}\n`).join(''));
  return certificates;
}

function connect(bootstrap: string, properties: Properties): ClusterConnections {
  const security = securityOptions(properties);
  assert.ok(security.ok, JSON.stringify(security));
  const settings = { clientId: 'test', connectTimeoutMs: 2_000, requestTimeoutMs: 5_000 };
  return new ClusterConnections(parseBootstrap(bootstrap), {
    ...settings,
    security: security.value,
  });
}

const skip = lacks('openssl');

if (skip !== false) test('a secured broker', { skip }, () => undefined);
else
  withLab({ brokers: 1, clients: 0, agents: false, coordinator: false }, (lab) => {
    let certificates: Certificates;
    let directory: string;
    const at = (protocol: keyof typeof PORTS): string =>
      `${lab().nodes[0]?.address}:${PORTS[protocol]}`;
    const trust = (): Properties => ({
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': certificates.authority,
    });

    before(async () => {
      const place = placeOf(lab().name);
      directory = join(nodeDirectory(place, 'n1'), 'etc', 'tls');
      certificates = secure(lab(), directory);
      await askInit(place, 'n1', 'stop', 'broker');
      await until('the broker to start again', async () =>
        (await askInit(place, 'n1', 'start', 'broker')).startsWith('started'),
      );
      const plain = connect(lab().bootstrap, {});
      const salt = Buffer.from('some salt');
      const upsertions = Object.entries(SCRAM).map(([mechanism, number]) => {
        const [digest, bytes] = mechanism.endsWith('256')
          ? (['sha256', 32] as const)
          : (['sha512', 64] as const);
        const saltedPassword = pbkdf2Sync(PASSWORD, salt, 4_096, bytes, digest);
        return { name: 'tester', mechanism: number, iterations: 4_096, salt, saltedPassword };
      });
      for (const upsertion of upsertions) {
        await until(
          'the credentials',
          async () => {
            const answer = await plain
              .any((connection) =>
                connection.call(alterUserScramCredentialsV0.api, [], [upsertion]),
              )
              .catch(() => {
                // The broker is still starting.
                return undefined;
              });
            return answer?.results.every(({ errorCode }) => errorCode === 0);
          },
          { timeoutMs: 60_000, everyMs: 200 },
        );
      }
      const topic = { name: 'guarded', topicPartitions: 1, replicationFactor: 1, config: {} };
      await createTopic(plain, topic, 10_000);
      plain.close();
    });

    /** Writes a record, reads the end of the log, and looks at the cluster, all through one listener. */
    async function works(bootstrap: string, properties: Properties): Promise<void> {
      const connections = connect(bootstrap, properties);
      const view = new ClusterView(bootstrap, properties);
      try {
        const connection = await until('a leader', async () => {
          const { topics } = await connections.metadata(['guarded']);
          const leader = topics[0]?.partitions[0]?.leaderId ?? -1;
          return leader >= 0 ? connections.to(leader) : undefined;
        });
        const plain = { producerId: -1, producerEpoch: -1, baseSequence: -1 };
        const batch = encodeBatch([{ value: Buffer.from('x'), timestampMs: Date.now() }], plain);
        const before = await listOffset(connection, 'guarded', 0, LATEST, false);
        await connection.call(
          produce,
          -1,
          5_000,
          [{ topic: 'guarded', topicPartition: 0, bytes: batch }],
          null,
        );
        assert.equal(await listOffset(connection, 'guarded', 0, LATEST, false), before + 1);
        const snapshot = await view.refresh();
        assert.equal(snapshot.error, undefined);
        assert.equal(`${snapshot.brokers[0]?.host}:${snapshot.brokers[0]?.port}`, bootstrap);
      } finally {
        connections.close();
        view.close();
      }
    }

    async function refused(bootstrap: string, properties: Properties, why: RegExp): Promise<void> {
      const view = new ClusterView(bootstrap, properties);
      const { error } = await view.refresh();
      view.close();
      assert.match(error ?? '', why);
      assert.doesNotMatch(error ?? '', /wrong-password/);
    }

    for (const mechanism of ['PLAIN', ...Object.keys(SCRAM)]) {
      for (const protocol of ['SASL_PLAINTEXT', 'SASL_SSL'] as const) {
        test(`${protocol} with ${mechanism}`, async () => {
          const tls = protocol === 'SASL_SSL' ? trust() : {};
          const common = { 'security.protocol': protocol, ...tls };
          await works(at(protocol), { ...common, ...login(mechanism) });
          const wrong = { ...common, ...login(mechanism, 'wrong-password') };
          await refused(at(protocol), wrong, /authentication/i);
        });
      }
    }

    test('SSL with a certificate of the client', async () => {
      const store = certificates.sign('client');
      const ssl = { 'security.protocol': 'SSL', ...trust() };
      const keystore = { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': store };
      await works(at('SSL'), { ...ssl, ...keystore });
      await refused(at('SSL'), ssl, /no broker answers: ./);
    });

    test('a broker signed by somebody else, or named otherwise, is not believed', async () => {
      const other = new Certificates(directory, 'other');
      const common = { 'security.protocol': 'SASL_SSL', ...login('PLAIN') };
      const stranger = { ...trust(), 'ssl.truststore.location': other.authority };
      await refused(at('SASL_SSL'), { ...common, ...stranger }, /certificate/i);
      await refused(at('SASL_SSL'), common, /certificate/i);
    });
  });
