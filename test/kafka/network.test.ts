import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { FaultStatus } from '../../src/core/model/fault-status.ts';
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
async function inject(lab: LabDescription, fault: object): Promise<FaultStatus> {
  const options = { body: { duration: '2m', ...fault }, query: { wait: '20s' } };
  const { body } = await coordinatorOf(lab).call<FaultStatus>('POST', '/v1/faults', options);
  assert.equal(body.state, 'active', JSON.stringify(body, null, 1));
  return body;
}

async function heal(lab: LabDescription, id: string): Promise<FaultStatus> {
  const path = `/v1/faults/${id}`;
  await coordinatorOf(lab).call('DELETE', path);
  return until('it is healed', async () => {
    const { body } = await coordinatorOf(lab).call<FaultStatus>('GET', path);
    return body.state === 'healed' ? body : undefined;
  });
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

withLab({ name: testLabName('network'), brokers: 3, controllers: 1, clients: 0 }, (lab) => {
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
    await inject(lab(), {
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
    const healed = await heal(lab(), 'fenced');
    assert.deepEqual(Object.keys(healed.nodes).sort(), ['k1', 'n3']);
    assert.equal(healed.nodes['n3']?.receipt?.effect, 'seen');
    assert.equal(healed.nodes['n3']?.receipt?.backend, 'nft');
    await until('n3 is back', () => ids() === '1,2,3', SLOW);
  });

  test('a cut of replication shrinks the ISR, while clients go on', async (t) => {
    const settings = { clientId: 'test', connectTimeoutMs: 2_000, requestTimeoutMs: 20_000 };
    const connections = new ClusterConnections(parseBootstrap(lab().bootstrap), {
      ...settings,
      security: {},
    });
    const config = { 'min.insync.replicas': '2' };
    const topic = { name: 'cut', topicPartitions: 1, replicationFactor: 3, config };
    await createTopic(connections, topic, 10_000);
    const view = new ClusterView(lab().bootstrap);
    t.after(() => {
      view.close();
      connections.close();
    });
    view.start();
    const state = () => view.snapshot().topicPartitions.find((one) => one.topic === 'cut');
    await until('three in sync', () => state()?.isr.length === 3, SLOW);
    const leader = state()?.leader ?? -1;
    const follower = [1, 2, 3].find((id) => id !== leader) ?? -1;
    // By iptables, so that the other backend has met a real cluster, too.
    await inject(lab(), {
      id: 'replication',
      kind: 'network.partition',
      targets: `n${follower}`,
      params: { shape: 'isolate', listeners: ['replication'], backend: 'iptables' },
    });
    await connections.metadata(['cut']);
    const connection = await connections.to(leader);
    const write = async (): Promise<number> => {
      const batch = encodeBatch([{ value: Buffer.from('x'), timestampMs: Date.now() }], {
        producerId: -1,
        producerEpoch: -1,
        baseSequence: -1,
      });
      const answer = await connection.call(produce, -1, 15_000, 'cut', 0, batch, null);
      return answer.responses[0]?.partitionResponses[0]?.errorCode ?? -1;
    };
    await until(
      'the follower is out of sync',
      async () => (await write()) === 0 && state()?.isr.includes(follower) === false,
      SLOW,
    );
    assert.equal(state()?.leader, leader);
    assert.equal(await write(), 0, 'acks=all with two in sync');
    assert.equal(view.snapshot().brokers.length, 3, 'nobody is fenced');
    const healed = await heal(lab(), 'replication');
    assert.equal(healed.nodes[`n${follower}`]?.receipt?.backend, 'iptables');
    await until('in sync again', () => state()?.isr.length === 3, SLOW);
  });
});
