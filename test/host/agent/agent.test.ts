import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { WebSocket } from 'ws';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import type { AgentFaultStatus } from '../../../src/core/model/fault-status.ts';
import type { LinkFrame } from '../../../src/core/model/link.ts';
import { Agent } from '../../../src/host/agent/daemon.ts';
import { bootMs } from '../../../src/host/clock.ts';
import { Tokens } from '../../../src/host/http/tokens.ts';
import { VERSION } from '../../../src/host/version.ts';
import { FakeLinux } from '../../support/fake-linux.ts';
import { lacks } from '../../support/needs.ts';
import { until } from '../../support/until.ts';

const TOKEN = 'a-token-for-the-tests-of-the-agent';
const quiet = { debug: () => undefined, info: () => undefined, error: () => undefined };

/** What the tests look at in an answer's body. */
interface TestAnswer {
  status: number;
  body: AgentFaultStatus & { bootMs: number; problems: { path: string }[] };
}

/** A coordinator's end of a link, as small as can be. */
class TestLink {
  readonly frames: LinkFrame[] = [];
  readonly socket: WebSocket;
  closed: number | undefined;
  #seq = 0;

  constructor(url: string) {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      'faultline-node': 'n1',
      'faultline-cluster': 'example',
      'faultline-version': VERSION,
    };
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/link`, { headers });
    this.socket.on('message', (data: Buffer) =>
      this.frames.push(JSON.parse(data.toString()) as LinkFrame),
    );
    this.socket.on('close', (code) => (this.closed = code));
    this.socket.on('error', () => undefined);
  }

  statuses(id: string): string[] {
    return this.frames.flatMap((frame) =>
      frame.frame === 'status'
        ? (frame.faults as AgentFaultStatus[]).filter((s) => s.id === id).map((s) => s.state)
        : [],
    );
  }

  async ask(method: string, path: string, body?: unknown): Promise<TestAnswer> {
    const seq = ++this.#seq;
    this.socket.send(JSON.stringify({ frame: 'request', seq, method, path, body }));
    const answer = await until(`an answer to ${method} ${path}`, () =>
      this.frames.find((frame) => frame.frame === 'answer' && frame.seq === seq),
    );
    assert.ok(answer.frame === 'answer');
    return { status: answer.status, body: answer.body as TestAnswer['body'] };
  }
}

suite('the agent behind its port', { skip: lacks('linux') }, () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'faultline-agent-host-'));
  let agent: Agent;
  let url: string;

  before(async () => {
    agent = await Agent.start({
      node: 'n1',
      stateDirectory,
      cluster: 'example',
      makeLinux: () => new FakeLinux(bootMs),
      logger: quiet,
      onBug: (error) => {
        throw error;
      },
    });
    const server = await agent.listen({
      listen: { host: '127.0.0.1', port: 0 },
      tokens: new Tokens().add(TOKEN, 'operate', 'test'),
      insecure: false,
    });
    url = server.url;
  });
  after(async () => {
    await agent.stop();
    rmSync(stateDirectory, { recursive: true });
  });

  const request = (id: string) => ({
    id,
    kind: 'network.partition',
    params: { groups: [['n1'], ['n2', 'n3']] },
    context: {
      owner: 'c-1',
      instance: 1,
      topology: EXAMPLE_TOPOLOGY,
      selected: [],
      coordinatorAddresses: ['127.0.0.1'],
      armOnly: true,
      seed: '7',
    },
  });

  async function linked(): Promise<TestLink> {
    const link = new TestLink(url);
    await until('the first frame', () => link.frames.length > 0);
    return link;
  }

  test('the first frame of a link holds every fault', async () => {
    const link = await linked();
    assert.deepEqual(link.frames[0], { frame: 'status', faults: [], complete: true });
    link.socket.close();
  });

  test('arms, fires at its instant and heals over a link; every change is pushed', async () => {
    const link = await linked();
    assert.equal((await link.ask('POST', '/v1/faults', request('cut'))).status, 201);
    const { body: clock } = await link.ask('GET', '/v1/clock');
    const atBootMs = clock.bootMs + 50;
    const fired = await link.ask('POST', '/v1/faults/cut/fire', { instance: 1, atBootMs });
    assert.equal(fired.status, 202);
    await until('the effect', async () => {
      const { body } = await link.ask('GET', '/v1/faults/cut');
      return body.receipt.effect === 'seen';
    });
    const { body: status } = await link.ask('GET', '/v1/faults/cut');
    assert.ok((status.firedAtBootMs ?? 0) >= atBootMs);
    const leases = { owner: 'c-1', faults: [{ id: 'cut', instance: 1 }] };
    const renewed = await link.ask('PUT', '/v1/leases', leases);
    assert.deepEqual(renewed.body, { renewed: ['cut'], healing: [] });
    assert.equal((await link.ask('DELETE', '/v1/faults/cut?wait=5s')).body.state, 'healed');
    const states = link.statuses('cut').filter((state, index, all) => state !== all[index - 1]);
    assert.deepEqual(states, ['arming', 'armed', 'active', 'healing', 'healed']);
    const forgot = await link.ask('POST', '/v1/faults/cut/forget', { instance: 1 });
    assert.equal(forgot.status, 200);
    assert.equal((await link.ask('GET', '/v1/faults/cut')).status, 404);
    link.socket.close();
  });

  test('bad requests over a link are problem details, as over HTTP', async () => {
    const link = await linked();
    const wrong = await link.ask('POST', '/v1/faults', { id: 'Not an id', kind: 'noop', extra: 1 });
    assert.equal(wrong.status, 422);
    assert.deepEqual(wrong.body.problems.map((each) => each.path).sort(), ['/extra', '/id']);
    assert.equal((await link.ask('GET', '/v1/nothing')).status, 404);
    assert.equal((await link.ask('GET', '/v1/faults/%2e%2e%2fx')).status, 400);
    link.socket.send('no frame');
    await until('the link to be closed', () => link.closed === 1007);
  });

  for (const [header, value, status] of [
    ['faultline-node', 'n2', 409],
    ['faultline-cluster', 'other', 409],
    ['faultline-version', '9.9.9', 409],
    ['authorization', 'Bearer wrong-wrong-wrong', 401],
  ] as const) {
    test(`a handshake with ${header} ${value} is refused`, async () => {
      const headers = { authorization: `Bearer ${TOKEN}`, [header]: value };
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/link`, { headers });
      const answered = new Promise<number | undefined>((resolve) => {
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      });
      socket.on('error', () => undefined);
      assert.equal(await answered, status);
      socket.terminate();
    });
  }

  test('every route answers with a status of its own, never 500', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (const path of [
      '/v1/health',
      '/v1/capabilities',
      '/v1/processes',
      '/v1/faults',
      '/metrics',
      '/openapi.json',
    ]) {
      const answer = await fetch(url + path, { headers });
      assert.equal(answer.status, 200, path);
      await answer.text();
    }
    const missing = await fetch(`${url}/v1/workloads/none`, { headers });
    assert.equal(missing.status, 404);
    await missing.text();
  });
});
