import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import type { FaultStatus } from '../../src/core/model/fault-status.ts';
import type { ProxyRule } from '../../src/core/model/proxy-rule.ts';
import type { ProxyAnswer, ProxyCounts } from '../../src/core/model/query-proxy.ts';
import { HttpClient } from '../../src/host/http-client.ts';
import { firstToken } from '../../src/host/http/tokens.ts';
import { createTopic, LATEST, listOffset } from '../../src/host/kafka/admin.ts';
import { ClusterConnections, parseBootstrap } from '../../src/host/kafka/cluster-connections.ts';
import { produce } from '../../src/host/kafka/produce-request.ts';
import { encodeBatch } from '../../src/host/kafka/record-batch.ts';
import { freePort } from '../../src/host/lab/daemons.ts';
import type { LabDescription } from '../../src/host/lab/describe.ts';
import { JavaClients, type JavaEnd } from '../support/java-clients.ts';
import { testLabName, withLab } from '../support/lab.ts';
import { ROOT } from '../support/needs.ts';
import { TestTransactions } from '../support/transactions.ts';
import { until } from '../support/until.ts';

const LINES = Array.from({ length: 8 }, (_, line) => `line ${line}`);
const minute = { timeoutMs: 60_000, everyMs: 100 };

const java = new JavaClients();
const directory = mkdtempSync(join(tmpdir(), 'faultline-request-'));
let proxy: ChildProcess | undefined;
after(() => {
  java.close();
  proxy?.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** Kafka's own console producer, one request a line. */
function produceByJava(bootstrap: string, topic: string, idempotent: boolean): Promise<JavaEnd> {
  // Patient, so that it is an answer that ends its wait, and not its own clock.
  const properties = [
    `enable.idempotence=${idempotent}`,
    'acks=all',
    'retries=20',
    'delivery.timeout.ms=600000',
  ];
  const options = properties.flatMap((property) => ['--producer-property', property]);
  const patience = ['--sync', '--request-timeout-ms', '300000'];
  const where = ['--bootstrap-server', bootstrap, '--topic', topic];
  const argv = [...where, ...patience, ...options];
  return java.run('org.apache.kafka.tools.ConsoleProducer', argv, LINES);
}

/** Kafka's own console consumer, a group's only member, until it has read so many. */
function consumeByJava(bootstrap: string, topic: string, group: string): Promise<JavaEnd> {
  const where = ['--bootstrap-server', bootstrap, '--topic', topic, '--group', group];
  const until = ['--from-beginning', '--max-messages', `${LINES.length}`, '--timeout-ms', '60000'];
  return java.run('org.apache.kafka.tools.consumer.ConsoleConsumer', [...where, ...until]);
}

function connect(bootstrap: string): ClusterConnections {
  const settings = { clientId: 'test', connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 };
  return new ClusterConnections(parseBootstrap(bootstrap), { ...settings, security: {} });
}

const topicOf = (name: string) => ({
  name,
  topicPartitions: 1,
  replicationFactor: 1,
  config: {},
});

/** The end of a topic-partition; it is asked again where a connection was reset. */
function endOf(connections: ClusterConnections, topic: string, committed = false): Promise<number> {
  return until(
    `the end of ${topic}`,
    async () => {
      try {
        await connections.metadata([topic]);
        return await listOffset(await connections.to(1), topic, 0, LATEST, committed);
      } catch {
        // By the fault's beginning or its end.
        return undefined;
      }
    },
    minute,
  );
}

/** A kafka.request in the lab's only broker. */
class RequestFault {
  readonly #client: HttpClient;
  readonly #id: string;

  constructor({ coordinator }: LabDescription, id: string) {
    assert.ok(coordinator);
    this.#id = id;
    this.#client = new HttpClient({
      url: coordinator.url,
      token: firstToken(coordinator.tokenFile),
    });
  }

  status(): Promise<FaultStatus> {
    return this.#client.get<FaultStatus>(`/v1/faults/${this.#id}`);
  }

  async begin(rules: ProxyRule[]): Promise<void> {
    await this.#client.post('/v1/faults', {
      id: this.#id,
      kind: 'kafka.request',
      targets: 'n1',
      params: { rules },
      duration: '10m',
      override: { limits: ['nodes', 'roleShare', 'quorum'], reason: 'a test of one broker' },
    });
    await until('it is seen', async () => (await this.status()).effect === 'seen', minute);
  }

  /** @returns how often each rule fired. */
  async end(): Promise<number[]> {
    await this.#client.delete(`/v1/faults/${this.#id}`);
    await until('it is healed', async () => (await this.status()).state === 'healed', minute);
    const { endedBy, nodes } = await this.status();
    assert.equal(endedBy, 'request');
    const during = nodes['n1']?.receipt?.during as ProxyAnswer | undefined;
    return (during?.rules ?? []).map(({ hits }) => hits);
  }
}

const of = (topic: string, rest: ProxyRule): ProxyRule => ({ apiKey: 'Produce', topic, ...rest });

const RULES: ProxyRule[] = [
  of('lost-plain', { nth: 3, disconnect: 'after' }),
  of('lost-idempotent', { nth: 3, disconnect: 'after' }),
  of('trouble', { nth: 2, disconnect: 'before' }),
  of('trouble', { nth: 5, error: 'NOT_LEADER_OR_FOLLOWER' }),
  of('trouble', { nth: 8, duplicate: true }),
  of('late', { nth: 2, delayAfter: '10m' }),
  of('held', { nth: 2, hold: '10m' }),
  { apiKey: 'Fetch', topic: 'read', nth: 1, truncateFetch: '50%' },
];

/** One batch a line, so that half of them are whole batches. */
async function writeLines(connections: ClusterConnections, topic: string): Promise<void> {
  await until('its leader', async () => {
    const { topics } = await connections.metadata([topic]);
    return topics[0]?.partitions[0]?.leaderId === 1;
  });
  const leader = await connections.to(1);
  const nobody = { producerId: -1, producerEpoch: -1, baseSequence: -1 };
  for (const line of LINES) {
    const batch = encodeBatch([{ value: Buffer.from(line), timestampMs: Date.now() }], nobody);
    await leader.call(produce, -1, 10_000, [{ topic, topicPartition: 0, bytes: batch }], null);
  }
}

withLab({ name: testLabName('request'), brokers: 1, clients: 0, disks: 0 }, (lab) => {
  const long = { timeout: 240_000 };

  test("Kafka's own clients, through rules of every sort", long, async () => {
    const { bootstrap } = lab();
    const connections = connect(bootstrap);
    const topics = [...new Set(RULES.map(({ topic = '' }) => topic))];
    for (const topic of topics) await createTopic(connections, topicOf(topic), 10_000);
    await writeLines(connections, 'read');
    const fault = new RequestFault(lab(), 'requests');
    await fault.begin(RULES);
    const waiting = ['late', 'held'].map((topic) => produceByJava(bootstrap, topic, true));
    const [read, ...produced] = await Promise.all([
      consumeByJava(bootstrap, 'read', 'readers'),
      produceByJava(bootstrap, 'lost-plain', false),
      produceByJava(bootstrap, 'lost-idempotent', true),
      produceByJava(bootstrap, 'trouble', true),
    ]);
    for (const { code, errors } of produced) assert.equal(code, 0, errors);
    assert.deepEqual(read.lines, LINES, read.errors);
    // Applied and not answered for; and not yet with the broker: as long as the fault stands.
    await until('the late record', async () => (await endOf(connections, 'late')) === 2, minute);
    await until('one before it', async () => (await endOf(connections, 'held')) === 1, minute);
    const lines = LINES.length;
    const ends: Record<string, number> = {};
    for (const topic of topics) ends[topic] = await endOf(connections, topic);
    const whole = {
      'lost-plain': lines + 1,
      'lost-idempotent': lines,
      trouble: lines,
      read: lines,
    };
    assert.deepEqual(ends, { ...whole, late: 2, held: 1 });
    assert.deepEqual(await fault.end(), [1, 1, 1, 1, 1, 1, 1, 1]);
    for (const { code, errors } of await Promise.all(waiting)) assert.equal(code, 0, errors);
    for (const topic of ['late', 'held']) assert.equal(await endOf(connections, topic), lines);
    connections.close();
  });

  test('an EndTxn that is held commits the next transaction (KAFKA-17754)', long, async () => {
    const connections = connect(lab().bootstrap);
    await createTopic(connections, topicOf('payments'), 10_000);
    const fault = new RequestFault(lab(), 'held');
    await fault.begin([{ apiKey: 'EndTxn', transactionalId: 'pay', nth: 1, hold: '10m' }]);
    const writer = await TestTransactions.open(connections, 'pay');
    await writer.append('payments', 0, 'one');
    await assert.rejects(writer.end(true), /timed out/);
    // Its client gave up, asks again on another connection, and is answered.
    await until('the first is committed', async () => {
      try {
        await writer.end(true);
        return true;
      } catch {
        // The lost connection is replaced after a pause.
        return false;
      }
    });
    await writer.append('payments', 0, 'two');
    const stable = (): Promise<number> => endOf(connections, 'payments', true);
    assert.equal(await stable(), 2, 'a record and a marker; the second transaction is open');
    assert.deepEqual(await fault.end(), [1]);
    await until('the second was committed', async () => (await stable()) === 4, minute);
    await assert.rejects(
      until('an answer to its abort', async () => {
        try {
          await writer.end(false);
          return true;
        } catch (error) {
          if ((error as { code?: string }).code === 'INVALID_TXN_STATE') throw error;
          // Connections ended with the fault.
          return false;
        }
      }),
      { code: 'INVALID_TXN_STATE' },
    );
    connections.close();
  });

  test("the plain proxy keeps Kafka's own clients, a group among them", long, async () => {
    const port = await freePort();
    const file = join(directory, 'rules.yaml');
    const apis = ['Produce', 'Fetch', 'JoinGroup', 'OffsetCommit', 'DescribeCluster'];
    const rules = apis.map((apiKey) => ({ apiKey, delayBefore: '1ms' }));
    writeFileSync(file, JSON.stringify(rules));
    const listen = `127.0.0.1:${port}`;
    const argv = ['proxy', '--listen', listen, '--bootstrap', lab().bootstrap, '--json'];
    const child = spawn(join(ROOT, 'faultline'), [...argv, '--rules', file], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    proxy = child;
    const said: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
    await until('it listens', () => said.length === 1, minute);
    const connections = connect(listen);
    await createTopic(connections, topicOf('plain'), 10_000);
    connections.close();
    const describe = ['list-endpoints', '--bootstrap-server', listen];
    const [written, read, described] = await Promise.all([
      produceByJava(listen, 'plain', true),
      consumeByJava(listen, 'plain', 'plain'),
      java.run('org.apache.kafka.tools.ClusterTool', describe),
    ]);
    assert.equal(written.code, 0, written.errors);
    assert.deepEqual(read.lines, LINES, read.errors);
    const broker = new RegExp(`^1\\s+127\\.0\\.0\\.1\\s+${port + 2}\\b`);
    assert.ok(
      described.lines.some((line) => broker.test(line)),
      described.lines.join('\n') + described.errors,
    );
    child.kill('SIGINT');
    await once(child, 'exit');
    const counts = JSON.parse(said.at(-1) ?? '{}') as ProxyCounts;
    for (const [index, { hits }] of counts.rules.entries()) {
      assert.ok(hits > 0, `no ${apis[index]} came through the proxy`);
    }
  });
});
