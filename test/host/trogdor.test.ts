import assert from 'node:assert/strict';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Failure } from '../../src/core/base/failure.ts';
import type { TaskState } from '../../src/core/trogdor/task.ts';
import { HttpProblem } from '../../src/host/http/http-problem.ts';
import { StubCluster } from '../support/stub-cluster.ts';
import { ask } from '../support/trogdor/converse.ts';
import { until } from '../support/until.ts';

const noOp = (fields: object = {}) => ({ class: 'NoOpTaskSpec', durationMs: 60_000, ...fields });

describe("the coordinator's door for Trogdor's protocol", () => {
  let cluster: StubCluster;
  const start = async (): Promise<void> => {
    await cluster.startCoordinator({}, { trogdor: '0' });
    await cluster.linked();
  };
  const call = async (method: string, path: string, body?: unknown) => {
    const asked = { name: path, method, path: `/coordinator/${path}` };
    const url = cluster.served?.trogdorUrl ?? '';
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await ask(url, { ...asked, ...text });
    return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown> };
  };
  const create = (id: string, spec: unknown) => call('POST', 'task/create', { id, spec });
  const task = async (id: string): Promise<TaskState> =>
    (await call('GET', `tasks/${id}`)).body as unknown as TaskState;
  const inState = (id: string, state: string) =>
    until(`task ${id} to be ${state}`, async () => {
      const now = await task(id);
      return now.state === state && now;
    });

  beforeEach(() => {
    cluster = new StubCluster();
  });
  afterEach(() => cluster.close());

  it('shows a task as a fault, and forgets neither over a restart', async () => {
    await cluster.startStubs(2);
    await start();
    assert.equal((await create('Some Task', noOp())).status, 200);
    const before = await inState('Some%20Task', 'RUNNING');
    const { faults } = await cluster.client.get<{ faults: { id: string; kind: string }[] }>(
      '/v1/faults',
    );
    assert.equal(faults.length, 1);
    assert.match(faults[0]?.id ?? '', /^trogdor-some-task-[0-9a-f]{8}$/);
    await cluster.stopCoordinator();
    await start();
    const later = await inState('Some%20Task', 'RUNNING');
    assert.equal(later.startedMs, before.startedMs);
    await call('PUT', 'task/stop', { id: 'Some Task' });
    const done = await inState('Some%20Task', 'DONE');
    await cluster.stopCoordinator();
    await start();
    assert.deepEqual(await task('Some%20Task'), done);
  });

  it('a task may come before the agents are linked', async () => {
    await cluster.startStubs(2);
    await cluster.startCoordinator({}, { trogdor: '0' });
    await create('early', noOp());
    await inState('early', 'RUNNING');
  });

  it('a refusal of one agent is the error of the task', async () => {
    const refusal = new HttpProblem(422, 'no such process', {
      problems: [{ path: '/process', message: '0 process(es) match' }],
    });
    await cluster.startStubs(2, (node) => (node === 'n2' ? { refuse: refusal } : {}));
    await start();
    await create('t', noOp());
    const done = await inState('t', 'DONE');
    assert.match(done.error ?? '', /n2.*0 process\(es\) match/);
    assert.equal(done.startedMs, -1);
  });

  it('says all problems of a request at once', async () => {
    await cluster.startStubs(2);
    await start();
    const partition = { class: 'NetworkPartitionFaultSpec', durationMs: 1, wrong: true };
    const bad = await create('', { ...partition, startMs: 'soon' });
    assert.equal(bad.status, 400);
    assert.match(String(bad.body['message']), /\/id.*\n.*\/spec\/(startMs|wrong).*\n.*\/spec\//);
    const unknown = await create('x', {
      class: 'NetworkPartitionFaultSpec',
      durationMs: 1,
      partitions: [['n8', 'n1'], ['n9'], ['n1']],
    });
    assert.equal(unknown.status, 400);
    assert.match(String(unknown.body['message']), /n8[^]*n9[^]*n1.*twice/);
  });

  it('ends tasks when everything heals, and takes none until resume', async () => {
    await cluster.startStubs(1);
    await start();
    await create('t', noOp());
    await inState('t', 'RUNNING');
    await cluster.client.call('POST', '/v1/heal', { query: { wait: '5s' } });
    const done = await inState('t', 'DONE');
    assert.equal(done.cancelled, false);
    assert.equal((await create('u', noOp())).status, 409);
    await cluster.client.call('POST', '/v1/resume');
    assert.equal((await create('u', noOp())).status, 200);
  });

  it('ends what a forgotten task does', async () => {
    await cluster.startStubs(1);
    await start();
    await create('t', noOp());
    await inState('t', 'RUNNING');
    await call('DELETE', 'tasks?taskId=t');
    assert.equal((await call('GET', 'tasks/t')).status, 404);
    const [fault] = cluster.served?.coordinator.listFaults() ?? [];
    await until('it to heal', () => cluster.stub('n1').state(fault?.id ?? '') !== 'active');
  });

  it('is not open to other sites, nor beyond loopback', async () => {
    await cluster.startStubs(1);
    await start();
    const status = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve) => {
        const url = `${cluster.served?.trogdorUrl}/coordinator/status`;
        request(url, { headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        }).end();
      });
    assert.equal(await status({}), 200);
    assert.equal(await status({ origin: 'https://elsewhere.example' }), 403);
    assert.equal(await status({ host: 'elsewhere.example' }), 403);
    await cluster.stopCoordinator();
    await assert.rejects(
      cluster.startCoordinator({}, { trogdor: '0.0.0.0:0' }),
      (error) => error instanceof Failure && error.code === 'insecure-listen',
    );
  });
});
