import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parseCgroups } from '../../src/core/codec/cgroup.ts';
import { AgentProcess, childrenOf } from '../support/agent-process.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { until } from '../support/until.ts';

const NAME = `faultline-test-${process.pid}`;
const MARK = `faultline-group-victim-${process.pid}`;

/** Hierarchies in which groups can be made here; a kill of the agent's group is a kill in each. */
const hierarchies = parseCgroups(readFileSync('/proc/self/mountinfo', 'utf8'), '').filter(
  ({ version, controllers }) =>
    version === 2 || controllers.some((name) => ['memory', 'cpu', 'freezer'].includes(name)),
);

const members = (group: string): number[] =>
  readFileSync(join(group, 'cgroup.procs'), 'utf8').trim().split('\n').map(Number);

const groupsOf = (pid: number): string => readFileSync(`/proc/${pid}/cgroup`, 'latin1');

suite('control groups of a load and of the guard', { skip: lacks('root', 'cgroups') }, () => {
  const made: string[] = [];
  let victim: ChildProcess;
  let agent: AgentProcess;

  before(async () => {
    for (const { mountPoint } of hierarchies) {
      const group = join(mountPoint, NAME);
      mkdirSync(group);
      made.push(group);
    }
    victim = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', MARK]);
    const entrances = made.map((group) => join(group, 'cgroup.procs'));
    agent = await new AgentProcess([
      join(ROOT, 'lab/enter-cgroups.sh'),
      ...entrances,
      '--',
    ]).start();
  });
  after(async () => {
    await agent.close();
    victim.kill('SIGKILL');
    for (const group of made) rmdirSync(group);
  });

  test('a burner is in groups of its own, which go with the fault', async () => {
    const burn = { id: 'burn', kind: 'cpu.load', params: { workers: 2, share: '10%' } };
    const asked = { ...burn, duration: '60s' };
    assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', asked)).status, 201);
    await until('it burns', async () => (await agent.fault('burn')).receipt.effect === 'seen');
    const worker = childrenOf(agent.pid).find((pid) => !agent.guardPids.includes(pid)) ?? 0;
    const name = /memory:\/(faultline-[0-9a-z]+)$|^0::\/(faultline-[0-9a-z]+)$/m.exec(
      groupsOf(worker),
    );
    const group = name?.[1] ?? name?.[2] ?? assert.fail(groupsOf(worker));
    assert.equal(readFileSync(`/proc/${worker}/oom_score_adj`, 'latin1').trim(), '1000');
    await agent.ask('DELETE', '/v1/faults/burn?wait=10s');
    assert.equal((await agent.fault('burn')).state, 'healed');
    for (const { mountPoint } of hierarchies) assert.ok(!existsSync(join(mountPoint, group)));
  });

  test("a kill of the agent's group does not take the guard, which heals", async () => {
    const params = { process: { argumentParts: [MARK] } };
    const pause = { id: 'stop', kind: 'process.pause', params, duration: '60s' };
    assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', pause)).status, 201);
    const state = (): string =>
      /State:\t(.)/.exec(readFileSync(`/proc/${victim.pid}/status`, 'latin1'))?.[1] ?? '';
    await until('the pause', () => state() === 'T');
    const [guard = 0] = agent.guardPids;
    for (const group of made) {
      assert.ok(members(group).includes(agent.pid), `the agent is not in ${group}`);
      assert.ok(!members(group).includes(guard), `the guard is in ${group}`);
    }
    const own = /(faultline-guard-[0-9a-z]+-[0-9]+)$/m.exec(groupsOf(guard))?.[1] ?? '';
    assert.notEqual(own, '');
    const [group = ''] = made;
    for (const pid of members(group)) process.kill(pid, 'SIGKILL');
    await until('the guard to heal', () => state() !== 'T');
    await until('its groups to go', () =>
      hierarchies.every(({ mountPoint }) => !existsSync(join(mountPoint, own))),
    );
    await agent.exited();
    await agent.start();
    assert.equal((await agent.fault('stop')).endedBy, 'guard');
  });
});
