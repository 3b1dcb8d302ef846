import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { parse } from 'yaml';
import type { FaultStatus, NodeStatus } from '../../src/core/model/fault-status.ts';
import type { Cluster, Listener, TopicPartitionState } from '../../src/core/model/topology.ts';
import { startCoordinator } from '../../src/host/coordinator/serve.ts';
import { HttpClient } from '../../src/host/http-client.ts';
import { firstToken } from '../../src/host/http/tokens.ts';
import { createTopic } from '../../src/host/kafka/admin.ts';
import { ClusterConnections, parseBootstrap } from '../../src/host/kafka/cluster-connections.ts';
import { produce } from '../../src/host/kafka/produce-request.ts';
import { encodeBatch } from '../../src/host/kafka/record-batch.ts';
import { ClusterView } from '../../src/host/kafka/view.ts';
import type { LabDescription } from '../../src/host/lab/describe.ts';
import { testLabName, withLab } from '../support/lab.ts';
import { until } from '../support/until.ts';

const SLOW = { timeoutMs: 60_000, everyMs: 200 };
const REPLICATION = 9094;
const CONTROLLER = 9093;

type LabNode = LabDescription['nodes'][number];

function coordinatorOf({ coordinator }: LabDescription): HttpClient {
  assert.ok(coordinator);
  return new HttpClient({ url: coordinator.url, token: firstToken(coordinator.tokenFile) });
}

/** Creates a fault and waits until it is active. */
async function inject(client: HttpClient, fault: object): Promise<FaultStatus> {
  const options = { body: { duration: '2m', ...fault }, query: { wait: '20s' } };
  const { body } = await client.call<FaultStatus>('POST', '/v1/faults', options);
  assert.equal(body.state, 'active', JSON.stringify(body, null, 1));
  return body;
}

async function heal(client: HttpClient, id: string): Promise<FaultStatus> {
  const path = `/v1/faults/${id}`;
  await client.call('DELETE', path);
  return until('it is healed', async () => {
    const { body } = await client.call<FaultStatus>('GET', path);
    return body.state === 'healed' ? body : undefined;
  });
}

/** A new topic with one topic-partition and three replicas, all in sync, and how to write to it. */
async function openTopic(
  bootstrap: string,
  name: string,
  t: TestContext,
): Promise<{
  view: ClusterView;
  state: () => TopicPartitionState | undefined;
  /** One record with acks=all. @returns the error code. */
  write: () => Promise<number>;
}> {
  const settings = { clientId: 'test', connectTimeoutMs: 2_000, requestTimeoutMs: 20_000 };
  const brokers = parseBootstrap(bootstrap);
  const connections = new ClusterConnections(brokers, { ...settings, security: {} });
  const config = { 'min.insync.replicas': '2' };
  const topic = { name, topicPartitions: 1, replicationFactor: 3, config };
  await createTopic(connections, topic, 10_000);
  const view = new ClusterView(bootstrap);
  t.after(() => {
    view.close();
    connections.close();
  });
  view.start();
  const state = () => view.snapshot().topicPartitions.find((one) => one.topic === name);
  await until('three in sync', () => state()?.isr.length === 3, SLOW);
  await connections.metadata([name]);
  const connection = await connections.to(state()?.leader ?? -1);
  const write = async (): Promise<number> => {
    const batch = encodeBatch([{ value: Buffer.from('x'), timestampMs: Date.now() }], {
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
    });
    const answer = await connection.call(
      produce,
      -1,
      15_000,
      [{ topic: name, topicPartition: 0, bytes: batch }],
      null,
    );
    return answer.responses[0]?.partitionResponses[0]?.errorCode ?? -1;
  };
  return { view, state, write };
}

/** Whether a port of one node answers to another: 'open', or 'silent' within two seconds. */
function reach(from: LabNode | undefined, to: LabNode | undefined, port: number): string {
  const knock = `timeout 2 bash -c 'exec 3<>/dev/tcp/${to?.address}/${port}' && echo open || echo silent`;
  const argv = ['-t', String(from?.initPid), '-n', 'bash', '-c', knock];
  return execFileSync('nsenter', argv, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

const PLAIN_LAB = { brokers: 3, controllers: 1, clients: 0, disks: 0 };

withLab({ ...PLAIN_LAB, name: testLabName('network') }, (lab) => {
  const node = (name: string): LabNode | undefined => lab().nodes.find((one) => one.name === name);

  test('a broker cut from the controllers, not from its peers, is fenced', async (t) => {
    const view = new ClusterView(lab().bootstrap);
    t.after(() => view.close());
    view.start();
    const ids = (): string =>
      view
        .snapshot()
        .brokers.map(({ id }) => id)
        .sort((left, right) => left - right)
        .join();
    await until('three brokers', () => ids() === '1,2,3', SLOW);
    await inject(coordinatorOf(lab()), {
      id: 'fenced',
      kind: 'network.partition',
      targets: 'n3',
      params: { shape: 'isolate', listeners: ['controller'] },
    });
    assert.equal(reach(node('n3'), node('k1'), CONTROLLER), 'silent');
    assert.equal(reach(node('n3'), node('n1'), REPLICATION), 'open');
    assert.equal(reach(node('n1'), node('n3'), REPLICATION), 'open');
    assert.equal(reach(node('n1'), node('k1'), CONTROLLER), 'open');
    await until('n3 is fenced', () => ids() === '1,2', SLOW);
    const healed = await heal(coordinatorOf(lab()), 'fenced');
    assert.deepEqual(Object.keys(healed.nodes).sort(), ['k1', 'n3']);
    assert.equal(healed.nodes['n3']?.receipt?.effect, 'seen');
    assert.equal(healed.nodes['n3']?.receipt?.backend, 'nft');
    await until('n3 is back', () => ids() === '1,2,3', SLOW);
  });

  test('a cut of replication shrinks the ISR, while clients go on', async (t) => {
    const { view, state, write } = await openTopic(lab().bootstrap, 'cut', t);
    const leader = state()?.leader ?? -1;
    const follower = [1, 2, 3].find((id) => id !== leader) ?? -1;
    // By iptables, so that the other backend has met a real cluster, too.
    await inject(coordinatorOf(lab()), {
      id: 'replication',
      kind: 'network.partition',
      targets: `n${follower}`,
      params: { shape: 'isolate', listeners: ['replication'], backend: 'iptables' },
    });
    await until(
      'the follower is out of sync',
      async () => (await write()) === 0 && state()?.isr.includes(follower) === false,
      SLOW,
    );
    assert.equal(state()?.leader, leader);
    assert.equal(await write(), 0, 'acks=all with two in sync');
    assert.equal(view.snapshot().brokers.length, 3, 'nobody is fenced');
    const healed = await heal(coordinatorOf(lab()), 'replication');
    assert.equal(healed.nodes[`n${follower}`]?.receipt?.backend, 'iptables');
    await until('in sync again', () => state()?.isr.length === 3, SLOW);
  });

  test('100 ms on replication is 100 ms on acks=all, and gone after it heals', async (t) => {
    const { state, write } = await openTopic(lab().bootstrap, 'late', t);
    const leader = state()?.leader ?? -1;
    const tookMs = async (): Promise<number> => {
      const beganMs = performance.now();
      assert.equal(await write(), 0);
      return performance.now() - beganMs;
    };
    const latencyMs = 100;
    const isQuick = async (): Promise<boolean> => (await tookMs()) < latencyMs / 2;
    await until('a write without the fault is quick', isQuick, SLOW);
    await inject(coordinatorOf(lab()), {
      id: 'late',
      kind: 'network.delay',
      targets: `n${leader}`,
      params: { latency: `${latencyMs}ms`, listeners: ['replication'] },
    });
    const taken: number[] = [];
    // A follower's fetch waits at the leader: its answer is late once, and the next fetch is not.
    await until(
      'a write takes as long as asked for',
      async () => {
        taken.push(await tookMs());
        return taken.length >= 10 && Math.min(...taken) < 1.5 * latencyMs;
      },
      SLOW,
    );
    t.diagnostic(`acks=all under 100 ms: ${taken.map((ms) => ms.toFixed(0)).join(', ')}`);
    assert.ok(Math.min(...taken) >= latencyMs, 'no write is acknowledged sooner');
    assert.equal(state()?.isr.length, 3, 'nobody has left the ISR');
    const healed = await heal(coordinatorOf(lab()), 'late');
    assert.equal(healed.effect, 'seen');
    await until('a write after the fault is quick', isQuick, SLOW);
  });

  test('listeners that cluster.yaml does not say are those of the brokers themselves', async (t) => {
    const declared = parse(readFileSync(lab().clusterFile, 'utf8')) as Cluster;
    const nodes = declared.nodes.map(({ name, agent, addresses, roles }) => {
      return { name, agent, addresses, roles };
    });
    const directory = mkdtempSync(join(tmpdir(), 'faultline-listeners-'));
    const cluster = join(directory, 'cluster.json');
    writeFileSync(cluster, JSON.stringify({ ...declared, nodes }));
    const tokenFile = lab().coordinator?.tokenFile ?? '';
    const served = await startCoordinator(
      {
        listen: '127.0.0.1:0',
        state: join(directory, 'state'),
        cluster,
        tokenFile,
        insecure: false,
      },
      { logger: pino({ level: 'silent' }) },
    );
    t.after(async () => {
      await served.close();
      rmSync(directory, { recursive: true });
    });
    const client = new HttpClient({ url: served.url, token: firstToken(tokenFile) });
    const byPort = (listeners: readonly Listener[] = []): Listener[] =>
      listeners.toSorted((left, right) => left.port - right.port);
    const told = await until(
      'all of them are known',
      async () => {
        const { nodes: known } = await client.get<{ nodes: NodeStatus[] }>('/v1/nodes');
        const isWhole = known.every(({ listeners, link }) => listeners && link === 'linked');
        return isWhole ? known : undefined;
      },
      SLOW,
    );
    for (const { name, listeners } of declared.nodes)
      assert.deepEqual(byPort(told.find((one) => one.name === name)?.listeners), byPort(listeners));
    await inject(client, {
      id: 'told',
      kind: 'network.partition',
      targets: 'n3',
      params: { shape: 'isolate', listeners: ['controller'] },
    });
    assert.equal(reach(node('n3'), node('k1'), CONTROLLER), 'silent');
    assert.equal(reach(node('n3'), node('n1'), REPLICATION), 'open');
    await heal(client, 'told');
  });
});
