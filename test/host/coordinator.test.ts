import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { FaultRequest } from '../../src/core/model/fault-request.ts';
import type { FaultStatus, NodeStatus } from '../../src/core/model/fault-status.ts';
import { HttpClient, ProblemError } from '../../src/host/http-client.ts';
import { HttpProblem } from '../../src/host/http/http-problem.ts';
import { STUB_TOKEN } from '../support/stub-agent.ts';
import { StubCluster } from '../support/stub-cluster.ts';
import { until } from '../support/until.ts';

const HOUR_MS = 3_600_000;
const noop = (id: string, more: Partial<FaultRequest> = {}): FaultRequest => ({
  id,
  kind: 'noop',
  targets: 'all',
  duration: '60s',
  ...more,
});

const problem = (status: number, message: RegExp) => (error: unknown) =>
  error instanceof ProblemError &&
  error.status === status &&
  message.test(JSON.stringify(error.details));

describe('coordinator with stub agents', () => {
  let cluster: StubCluster;
  beforeEach(() => {
    cluster = new StubCluster();
  });
  afterEach(() => cluster.close());

  it('fires on all nodes at one instant though their clocks are hours apart, and heals', async () => {
    await cluster.startStubs(4, (node) => ({ clockOffsetMs: (Number(node[1]) - 2) * HOUR_MS }));
    await cluster.startCoordinator();
    await cluster.linked();
    const { status, body, location } = await cluster.create(noop('f1'));
    assert.equal(status, 201);
    assert.equal(location, '/v1/faults/f1');
    assert.equal(body.state, 'active');
    assert.equal(body.targets.join(), 'n1,n2,n3,n4');
    const fired = cluster.stubs.map((stub) => stub.firedAtMs.get('f1') ?? Number.NaN);
    const skewMs = Math.max(...fired) - Math.min(...fired);
    // Who took another's clock for its own would be an hour off.
    assert.ok(skewMs < HOUR_MS / 2, `true skew ${skewMs} ms`);
    assert.ok((body.skewMs ?? HOUR_MS) < HOUR_MS / 2, `measured skew ${body.skewMs} ms`);
    const { nodes } = await cluster.client.get<{ nodes: NodeStatus[] }>('/v1/nodes');
    for (const [index, node] of nodes.entries()) {
      const truth = (index - 1) * HOUR_MS;
      const error = Math.abs((node.clock?.offsetMs ?? Number.NaN) - truth);
      assert.ok(error <= (node.clock?.uncertaintyMs ?? 0) + 0.5, `offset of ${node.name}`);
    }
    const healed = await cluster.client.call<FaultStatus>('DELETE', '/v1/faults/f1', {
      query: { wait: '5s' },
    });
    assert.equal(healed.status, 202);
    assert.equal(healed.body.state, 'healed');
    assert.equal(healed.body.endedBy, 'request');
    await until('tombstones forgotten', () =>
      cluster.stubs.every((stub) => stub.faults.size === 0),
    );
    const again = await cluster.client.call<FaultStatus>('DELETE', '/v1/faults/f1');
    assert.equal(again.status, 200);
  });

  it('fires nowhere if one agent refuses, and says all its problems', async () => {
    const refusal = new HttpProblem(409, 'held by another', { conflictsWith: 'other' });
    await cluster.startStubs(3, (node) => (node === 'n2' ? { refuse: refusal } : {}));
    await cluster.startCoordinator();
    await cluster.linked();
    await assert.rejects(cluster.create(noop('f1')), problem(409, /n2: held by another.*other/));
    assert.equal((await cluster.fault('f1')).state, 'refused');
    await until('the others to be cancelled', () =>
      cluster.stubs.every((stub) => (stub.state('f1') ?? 'cancelled') === 'cancelled'),
    );
    assert.ok(cluster.stubs.every((stub) => !stub.firedAtMs.has('f1')));
    // A refused one is not tried again under its id.
    assert.equal((await cluster.create(noop('f1'))).status, 200);
  });

  it('refuses by name what is unreachable or silent', async () => {
    await cluster.startStubs(3, (node) => (node === 'n3' ? { isSilent: true } : {}));
    await cluster.startCoordinator({ armTimeoutMs: 300 });
    await cluster.linked();
    await cluster.stub('n1').stop();
    await assert.rejects(
      cluster.create(noop('f1')),
      problem(422, /n1.*is unreachable.*n3.*did not answer in time/),
    );
    assert.equal(cluster.stub('n2').firedAtMs.size, 0);
  });

  it('says all that is wrong with a scenario at once, each with its path: draw and run alike', async () => {
    await cluster.startStubs(2);
    await cluster.startCoordinator();
    const scenario = {
      faultline: 1,
      name: 'Wrong Name',
      duration: '10',
      colour: 'red',
      workload: { kind: 'log', params: { rate: -1 }, size: 3 },
      faults: [
        { at: '1s', kind: 'noop', targets: 'n9' },
        { at: 1, kind: 'process.pause', targets: 'n1', params: { duty: { on: 'long' } } },
      ],
      draw: { kinds: [{ kind: 'proces.kill' }], every: '1s', duration: { min: '1s', max: '2s' } },
      limits: { roleShare: '3/2', nodes: 0 },
      checks: ['losss'],
    };
    const paths = [
      '/scenario/name',
      '/scenario/duration',
      '/scenario/colour',
      '/scenario/workload/params/rate',
      '/scenario/faults/0/targets',
      '/scenario/faults/1/at',
      '/scenario/faults/1/params/duty/on',
      '/scenario/draw/kinds/0/kind',
      '/scenario/limits/nodes',
      '/scenario/limits/roleShare',
      '/scenario/checks/0',
    ];
    for (const [path, body] of [
      ['/v1/schedules', { scenario, seed: '1' }],
      ['/v1/runs', { id: 'r1', scenario }],
    ] as const) {
      const said = await cluster.client
        .call('POST', path, { body })
        .catch((error: unknown) => error);
      assert.ok(said instanceof ProblemError && said.status === 422, String(said));
      const found = new Set(said.details.problems?.map((each) => each.path));
      for (const expected of paths) assert.ok(found.has(expected), `${path}: ${expected}`);
    }
    const fine = { faultline: 1, name: 'fine', duration: '10s', workload: { kind: 'log' } };
    await assert.rejects(
      cluster.client.post('/v1/runs', { id: 'r1', scenario: { ...fine, checks: ['losss'] } }),
      problem(422, /"\/scenario\/checks\/0".*"\/scenario\/workload"/),
    );
  });

  it('knows ids: same spec 200, another 409, all problems 422 before anything is sent', async () => {
    await cluster.startStubs(2);
    await cluster.startCoordinator();
    await cluster.linked();
    assert.equal((await cluster.create(noop('f1'))).status, 201);
    const again = await cluster.create(noop('f1'));
    assert.equal(again.status, 200);
    assert.equal(again.body.state, 'active');
    await assert.rejects(cluster.create(noop('f1', { duration: '61s' })), problem(409, /"f1"/));
    await assert.rejects(
      cluster.create(
        noop('f2', {
          kind: 'nop',
          targets: 'n9 | role(brokr)',
          after: '1s',
          startAt: '2026-01-01T00:00:00Z',
        }),
      ),
      problem(422, /noop.*n9.*broker.*not both.*in the past/),
    );
    await assert.rejects(cluster.create(noop('f3', { duration: '60' })), problem(422, /duration/));
    // A wrong shape does not hide an unknown name beside it.
    await assert.rejects(
      cluster.create(noop('f3', { duration: '60', targets: 'n9' })),
      problem(422, /2 problems/),
    );
    const start = { startAt: '2026-01-01T00:00:00Z', after: '3', every: '10ms' };
    await assert.rejects(cluster.create(noop('f3', start)), problem(422, /4 problems/));
    await assert.rejects(cluster.client.get('/v1/faults?state=bogus'), problem(400, /states/));
    const armed = cluster.stubs
      .flatMap((stub) => stub.requests)
      .filter((each) => each === 'POST /v1/faults');
    assert.equal(armed.length, 2);
  });

  it('plans without touching in a dry run', async () => {
    await cluster.startStubs(2);
    await cluster.startCoordinator();
    await cluster.linked();
    const { status, body } = await cluster.create(noop('f1'), { dryRun: 'true' });
    assert.equal(status, 200);
    assert.equal(body.nodes['n1']?.plan?.[0]?.says, 'nothing');
    await assert.rejects(cluster.fault('f1'), problem(404, /f1/));
    assert.ok(cluster.stubs.every((stub) => stub.faults.size === 0));
  });

  it('heals everything, its own and local ones, refuses new ones, and resumes', async () => {
    await cluster.startStubs(2);
    await cluster.startCoordinator();
    await cluster.linked();
    cluster.stub('n1').adopt('theirs', 'another-coordinator');
    cluster.stub('n1').adopt('by-hand', 'local');
    await cluster.create(noop('f1'));
    await cluster.create(noop('later', { after: '1h' }), {});
    const answer = await cluster.client.post<{ faults: { id: string; state: string }[] }>(
      '/v1/heal',
      undefined,
      { query: { wait: '5s' } },
    );
    assert.deepEqual(answer.faults, [
      { id: 'f1', state: 'healed' },
      { id: 'later', state: 'cancelled' },
    ]);
    await until('the local one to heal', () => cluster.stub('n1').state('by-hand') === 'healed');
    assert.equal(cluster.stub('n1').state('theirs'), 'active');
    await assert.rejects(cluster.create(noop('f2')), problem(409, /resume/));
    await cluster.client.post('/v1/resume');
    assert.equal((await cluster.create(noop('f2'))).status, 201);
  });

  it('leaves other owners alone, and names them where they are in the way', async () => {
    await cluster.startStubs(2);
    await cluster.startCoordinator({ leaseRenewalMs: 50 });
    await cluster.linked();
    cluster.stub('n2').adopt('f1', 'another-coordinator');
    await assert.rejects(cluster.create(noop('f1')), problem(409, /another-coordinator/));
    await cluster.create(noop('f2'));
    await until('leases to be renewed', () =>
      cluster.stub('n2').requests.includes('PUT /v1/leases'),
    );
    assert.equal(cluster.stub('n2').state('f1'), 'active');
  });

  it('says since when contact is lost and when it ends at the latest, and takes it up again', async () => {
    await cluster.startStubs(2);
    await cluster.startCoordinator();
    await cluster.linked();
    await cluster.create(noop('f1', { lease: '30s' }));
    await cluster.stub('n2').stop();
    const lost = await until('contact to be lost', async () => {
      const fault = await cluster.fault('f1');
      return fault.nodes['n2']?.contact && fault;
    });
    assert.equal(lost.state, 'active');
    const { lostSince, endsAtLatest } = lost.nodes['n2']?.contact ?? {};
    const leftMs = Date.parse(endsAtLatest ?? '') - Date.parse(lostSince ?? '');
    assert.ok(leftMs > 0 && leftMs <= 30_000, `${leftMs} ms`);
    await cluster.stub('n2').start();
    await until('contact again', async () => !(await cluster.fault('f1')).nodes['n2']?.contact);
    assert.equal((await cluster.fault('f1')).state, 'active');
    assert.equal(cluster.stub('n2').state('f1'), 'active');
  });

  it('starts at a set time, repeats, and records what was missed', async () => {
    await cluster.startStubs(2);
    await cluster.startCoordinator();
    await cluster.linked();
    const startAt = new Date(Date.now() + 400).toISOString();
    await cluster.create(noop('f1', { startAt, every: '1s', duration: '100ms' }), {});
    const fault = await until('a second occurrence', async () => {
      const now = await cluster.fault('f1');
      return now.instance === 2 && now.earlier[0] && now;
    });
    assert.equal(fault.earlier[0]?.state, 'healed');
    const firedMs = Date.parse(fault.earlier[0]?.firedAt ?? '') - Date.parse(startAt);
    // A busy machine makes it late, nothing makes it early: clocks here are known to a few ms.
    assert.ok(firedMs >= -50, `fired ${-firedMs} ms before its time`);
    await cluster.stopCoordinator();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await cluster.startCoordinator();
    const later = await until('a later occurrence', async () => {
      const now = await cluster.fault('f1');
      return now.instance >= 4 && now;
    });
    assert.ok(later.earlier.some((each) => each.state === 'missed'));
    await cluster.client.delete('/v1/faults/f1');
    await until('the end', async () => /cancelled|healed/.test((await cluster.fault('f1')).state));
  });

  it('writes down who asked for what', async () => {
    await cluster.startStubs(1);
    await cluster.startCoordinator();
    await cluster.linked();
    await cluster.create(noop('f1'));
    await assert.rejects(cluster.create(noop('f1', { reason: 'other' })), /another spec/);
    const lines = readFileSync(join(cluster.stateDirectory, 'audit.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { who: string; status: number; path: string });
    assert.deepEqual(
      lines.map(({ status }) => status),
      [201, 409],
    );
    assert.match(lines[0]?.who ?? '', /^token-/);
    assert.ok(!JSON.stringify(lines).includes(STUB_TOKEN));
    assert.match(await cluster.client.text('/metrics'), /faultline_node_linked\{node="n1"\} 1/);
  });

  it('comes back after SIGKILL knowing its faults, and heals what it does not want', async () => {
    await cluster.startStubs(3);
    const launch = async () => {
      const child = spawn(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          'src/bin/faultline.ts',
          'coordinator',
          '--listen=127.0.0.1:0',
          `--state=${cluster.stateDirectory}`,
          `--cluster=${cluster.clusterFile}`,
          `--token-file=${cluster.tokenFile}`,
        ],
        { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, FAULTLINE_LOG: 'silent' } },
      );
      const lines = createInterface({ input: child.stdout });
      const { promise, resolve } = Promise.withResolvers<string>();
      lines.once('line', resolve);
      child.once('exit', (code) => resolve(`exit ${code}`));
      const url = /http:\S+/.exec(await promise)?.[0] ?? '';
      const ended = new Promise((done) => child.once('exit', done));
      const client = new HttpClient({ url, token: STUB_TOKEN });
      return { client, kill: () => (child.kill('SIGKILL'), ended) };
    };
    const first = await launch();
    await until('links', async () => {
      const { nodes } = await first.client.get<{ nodes: NodeStatus[] }>('/v1/nodes');
      return nodes.every((node) => node.link === 'linked');
    });
    const wait = { query: { wait: '5s' } };
    await first.client.post('/v1/faults', noop('stands', { targets: 'n1' }), wait);
    await first.client.post('/v1/faults', noop('ends', { targets: 'n2', duration: '1h' }), wait);
    await first.client.post('/v1/faults', noop('later', { after: '1h' }));
    const events = first.client.events('/v1/events', { query: { after: '0' } });
    const firstId = Number((await events.next()).value?.id);
    await events.return(undefined);
    await first.kill();
    // While nobody looks: one ends by itself.
    cluster.stub('n2').end('ends', 'guard');
    const second = await launch();
    try {
      const ended = await until('the ended one to be known', async () => {
        const fault = await second.client.get<FaultStatus>('/v1/faults/ends');
        return fault.state === 'healed' && fault;
      });
      assert.equal(ended.endedBy, 'guard');
      const stands = await until('contact', async () => {
        const fault = await second.client.get<FaultStatus>('/v1/faults/stands');
        return !fault.nodes['n1']?.contact && fault;
      });
      assert.equal(stands.state, 'active');
      assert.equal((await second.client.get<FaultStatus>('/v1/faults/later')).state, 'pending');
      assert.equal(cluster.stub('n1').firedAtMs.size, 1);
      const resumed = second.client.events('/v1/events', { query: { after: String(firstId) } });
      const next = (await resumed.next()).value;
      assert.ok(Number(next?.id) > firstId);
      await resumed.return(undefined);
      await second.client.post('/v1/heal', undefined, wait);
      assert.equal(cluster.stub('n1').state('stands') ?? 'healed', 'healed');
    } finally {
      await second.kill();
    }
  });
});
