import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import { AgentProcess, commandLine, residentBytes } from '../support/agent-process.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { TestNetwork, type TestNode } from '../support/netns.ts';
import { until } from '../support/until.ts';

const MARK = `faultline-agent-victim-${process.pid}`;

function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}

suite('a real agent', { skip: lacks('root', 'namespaces', 'nft') }, () => {
  let network: TestNetwork;
  let node: TestNode;
  let prefix: string[];
  let victim: ChildProcess;
  const victimPid = (): number => victim.pid ?? 0;

  before(() => {
    network = new TestNetwork('fla', 2, 77);
    node = network.nodes[0] as TestNode;
    prefix = ['ip', 'netns', 'exec', node.namespace];
    victim = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', MARK]);
  });
  after(() => {
    victim.kill('SIGKILL');
    network.close();
  });

  const tables = (): string =>
    execFileSync('ip', [...prefix.slice(1), 'nft', 'list', 'tables'], { encoding: 'utf8' });
  const paused = (): boolean => stateOf(victimPid()) === 'T';

  function partition(id: string): AgentFaultRequest {
    const topology = {
      name: 'test',
      nodes: network.nodes.map((each) => ({
        name: each.name,
        addresses: [each.address, each.address6],
        roles: ['broker' as const],
      })),
    };
    const context = {
      owner: 'test',
      instance: 1,
      topology,
      selected: [],
      coordinatorAddresses: ['127.0.0.1'],
      armOnly: false,
      seed: '1',
    };
    return { id, kind: 'network.partition', params: { groups: [['n1'], ['n2']] }, context };
  }
  const pause = (id: string, more: Partial<AgentFaultRequest> = {}): AgentFaultRequest => ({
    id,
    kind: 'process.pause',
    params: { process: { argumentParts: [MARK] } },
    duration: '60s',
    ...more,
  });

  async function withAgent(work: (agent: AgentProcess) => Promise<void>): Promise<void> {
    const agent = new AgentProcess(prefix);
    try {
      await agent.start();
      await work(agent);
    } finally {
      await agent.close();
      assert.equal(tables(), '', 'a table was left');
      assert.equal(paused(), false, 'a process stayed stopped');
    }
  }

  const inForce = (agent: AgentProcess, id: string): Promise<unknown> =>
    until(`fault ${id} in force and seen`, async () => {
      const { state, receipt, error } = await agent.fault(id);
      assert.notEqual(state, 'failed', error);
      return state === 'active' && receipt.effect !== 'pending';
    });

  test('arms, fires, shows and heals over REST', async () => {
    await withAgent(async (agent) => {
      const requests: AgentFaultRequest[] = [
        { id: 'nothing', kind: 'noop', duration: '60s' },
        { ...partition('cut'), duration: '60s' },
        pause('stop'),
        { id: 'burn', kind: 'cpu.load', params: { workers: 1, share: '10%' }, duration: '60s' },
      ];
      for (const body of requests) {
        const { status, body: answer } = await agent.ask('POST', '/v1/faults?wait=10s', body);
        assert.equal(status, 201, JSON.stringify(answer));
        await inForce(agent, body.id);
        assert.equal((await agent.ask('POST', '/v1/faults', body)).status, 200);
      }
      assert.match(tables(), /faultline-/);
      assert.equal(paused(), true);
      assert.equal((await agent.fault('cut')).receipt.effect, 'seen');
      const held = await agent.ask('POST', '/v1/faults', pause('stop-2'));
      assert.equal(held.status, 409);
      assert.equal(held.body['conflictsWith'], 'stop');
      for (const body of requests) {
        const { status, body: ended } = await agent.ask('DELETE', `/v1/faults/${body.id}?wait=10s`);
        assert.equal(status, 202);
        assert.equal(ended['state'], 'healed');
        assert.equal(ended['endedBy'], 'request');
      }
    });
  });

  test('kill -9 of the agent: its guard heals, and the next agent knows who did', async () => {
    await withAgent(async (agent) => {
      for (const body of [partition('cut'), pause('stop')])
        assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', body)).status, 201);
      await inForce(agent, 'cut');
      await inForce(agent, 'stop');
      agent.kill('SIGKILL');
      await until('the guard to heal', () => tables() === '' && !paused());
      await agent.exited();
      await agent.start();
      const status = await agent.fault('cut');
      assert.equal(status.state, 'healed');
      assert.equal(status.endedBy, 'guard');
      const { effect, before, during, after } = status.receipt;
      assert.equal(effect, 'seen', 'what was measured outlives the agent');
      assert.deepEqual(before, { query: 'packetCounters', packets: {} });
      assert.deepEqual(after, before);
      assert.ok(during?.query === 'packetCounters' && (during.packets['n2'] ?? 0) > 0);
    });
  });

  test('what was healed by POST /v1/heal stays closed over a restart, until it is resumed', async () => {
    const noop = (id: string) => ({ id, kind: 'noop', duration: '1s' });
    await withAgent(async (agent) => {
      assert.equal((await agent.ask('POST', '/v1/heal')).status, 202);
      for (const [index, status] of [409, 201].entries()) {
        agent.kill('SIGKILL');
        await agent.exited();
        await agent.start();
        const answer = await agent.ask('POST', '/v1/faults?wait=10s', noop(`n${index}`));
        assert.equal(answer.status, status, JSON.stringify(answer));
        if (status === 409) assert.equal((await agent.ask('POST', '/v1/resume')).status, 200);
      }
    });
  });

  test('kill -9 of agent and guard: the next start heals', async () => {
    await withAgent(async (agent) => {
      for (const body of [partition('cut'), pause('stop')])
        assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', body)).status, 201);
      await inForce(agent, 'stop');
      const [guard = 0] = agent.guardPids;
      process.kill(agent.pid, 'SIGSTOP');
      process.kill(guard, 'SIGKILL');
      agent.kill('SIGKILL');
      await agent.exited();
      assert.equal(paused(), true, 'nobody is left to heal');
      await agent.start();
      assert.equal(tables(), '');
      assert.equal(paused(), false);
      assert.equal((await agent.fault('stop')).endedBy, 'agentRestart');
    });
  });

  test('SIGSTOP past the lease: the guard kills the agent, and heals', async () => {
    await withAgent(async (agent) => {
      const body = pause('stop', { lease: '1s' });
      assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', body)).status, 201);
      agent.kill('SIGSTOP');
      await until('the guard to heal', () => !paused());
      await agent.exited();
      await agent.start();
      assert.equal((await agent.fault('stop')).endedBy, 'guard');
    });
  });

  test('a dead guard is replaced, and the new one heals', async () => {
    await withAgent(async (agent) => {
      assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', pause('stop'))).status, 201);
      const [guard = 0] = agent.guardPids;
      process.kill(guard, 'SIGKILL');
      await until('another guard', () => agent.guardPids.some((pid) => pid !== guard));
      agent.kill('SIGKILL');
      await until('the new guard to heal', () => !paused());
      await agent.exited();
      await agent.start();
    });
  });

  test('a guard whose state directory was removed ends, and does not try for ever', async () => {
    await withAgent(async (agent) => {
      const [guard = 0] = agent.guardPids;
      rmSync(agent.state, { recursive: true });
      agent.kill('SIGKILL');
      await until('the guard has ended', () => !existsSync(`/proc/${guard}`));
    });
  });

  test('a second agent on the same directory is refused by name', async () => {
    await withAgent(async (agent) => {
      const second = new AgentProcess(prefix, { state: agent.state });
      second.launch();
      assert.notEqual(await second.exited(), 0);
      assert.match(second.stderr, /is held by: agent, pid \d+/);
      assert.equal(second.stderr.trim().split('\n').length, 1);
    });
  });

  test('a full disk under the journal: refused, nothing touched; healing still works', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', directory]);
    const agent = new AgentProcess(prefix, { state: directory });
    try {
      await agent.start();
      assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', pause('stop'))).status, 201);
      spawnSync('dd', ['if=/dev/zero', `of=${join(directory, 'fill')}`, 'bs=1k'], {
        stdio: 'ignore',
      });
      let refused: { status: number; body: Record<string, unknown> } | undefined;
      for (let index = 0; index < 60 && !refused; index++) {
        const body = { id: `n${index}`, kind: 'noop', duration: '60s' };
        const answer = await agent.ask('POST', '/v1/faults', body);
        if (answer.status !== 201) refused = answer;
      }
      assert.equal(refused?.status, 422);
      assert.match(JSON.stringify(refused.body), /ENOSPC/);
      agent.kill('SIGKILL');
      await until('the guard to heal', () => !paused());
      await agent.exited();
      await agent.start();
      assert.equal((await agent.fault('stop')).endedBy, 'guard');
    } finally {
      // The mount point itself can't be removed yet.
      await agent.close().catch(() => undefined);
      execFileSync('umount', [directory]);
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('--exec: one fault with no coordinator, to its receipt', async () => {
    const state = mkdtempSync(join(tmpdir(), 'faultline-exec-'));
    const file = join(state, 'fault.json');
    writeFileSync(file, JSON.stringify(pause('once', { duration: '500ms' })));
    const argv = ['agent', '--node', 'n1', '--state', state, '--exec', file, '--json'];
    const done = spawnSync(join(ROOT, 'faultline'), argv, { encoding: 'utf8' });
    rmSync(state, { recursive: true });
    assert.equal(done.status, 0, done.stderr);
    const receipt = JSON.parse(done.stdout) as { state: string; endedBy: string };
    assert.deepEqual([receipt.state, receipt.endedBy], ['healed', 'deadline']);
  });

  test('agent and guard together stay below 123 MB', async () => {
    await withAgent(async (agent) => {
      const body = { id: 'nothing', kind: 'noop', duration: '100ms' };
      await agent.ask('POST', '/v1/faults?wait=10s', body);
      await until('its end', async () => (await agent.fault('nothing')).state === 'healed');
      const pids = [agent.pid, ...agent.guardPids];
      assert.equal(pids.length, 2, pids.map(commandLine).join('\n'));
      const bytes = pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
      assert.ok(bytes < 123e6, `${Math.round(bytes / 1e6)} MB`);
    });
  });
});
