import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import { ourMountAt } from '../../src/host/fuse/mounts.ts';
import { AgentProcess } from '../support/agent-process.ts';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { until } from '../support/until.ts';

/** What a write says: 'ok' or the error's code. */
function write(path: string): string {
  try {
    writeFileSync(path, 'something');
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

suite('disk faults through an agent', { skip: lacks('root', 'fuse') }, () => {
  let mount: DiskMount;
  let agent: AgentProcess;
  const log = (): string => mount.file('orders-0', '00000000000000000000.log');
  const index = (): string => mount.file('orders-0', '00000000000000000000.index');

  before(async () => {
    mount = await DiskMount.start({ overItself: true });
    mkdirSync(mount.file('orders-0'));
    agent = await new AgentProcess([]).start();
  });
  after(async () => {
    await agent.close();
    await mount[Symbol.asyncDispose]();
  });

  const failing = (id: string): AgentFaultRequest => ({
    id,
    kind: 'disk.error',
    params: { directory: mount.path, errno: 'EIO', preset: 'log', match: { op: ['write'] } },
    duration: '60s',
  });

  async function begin(body: AgentFaultRequest): Promise<void> {
    const { status, body: answer } = await agent.ask('POST', '/v1/faults?wait=10s', body);
    assert.equal(status, 201, JSON.stringify(answer));
    await until(`${body.id} in force`, async () => (await agent.fault(body.id)).state === 'active');
  }

  test('it hits what matches, shows it, and heals', async () => {
    await begin(failing('first'));
    assert.equal(write(log()), 'EIO');
    assert.equal(write(index()), 'ok');
    await until('it is seen', async () => (await agent.fault('first')).receipt.effect === 'seen');
    const { body } = await agent.ask('DELETE', '/v1/faults/first?wait=10s');
    assert.equal(body['state'], 'healed');
    const { receipt } = await agent.fault('first');
    assert.deepEqual(receipt.before, { query: 'diskFault', inForce: false, matched: 0, hits: 0 });
    assert.deepEqual(receipt.during, { query: 'diskFault', inForce: true, matched: 1, hits: 1 });
    assert.equal(write(log()), 'ok');
  });

  test('a directory that no file system of ours holds is refused', async () => {
    const body = { ...failing('elsewhere'), params: { directory: '/proc', errno: 'EIO' } };
    const { status, body: answer } = await agent.ask('POST', '/v1/faults', body);
    assert.equal(status, 422);
    assert.match(JSON.stringify(answer), /no file system of ours holds \/proc/);
    assert.match(JSON.stringify(answer), /faultline mount/);
  });

  test('kill -9 of the agent: the guard heals, and the disk stays', async () => {
    await begin(failing('orphan'));
    assert.equal(write(log()), 'EIO');
    agent.kill('SIGKILL');
    await until('the guard to heal', () => write(log()) === 'ok');
    await agent.exited();
    await agent.start();
    assert.equal((await agent.fault('orphan')).endedBy, 'guard');
    assert.equal(readFileSync(log(), 'utf8'), 'something');
  });

  test("a mount that another one covers is nobody's concern", () => {
    const covered = 'mount -t tmpfs tmpfs "$2" && "$0" "$1" doctor --state /run/faultline-none';
    const program = join(ROOT, 'src/bin/faultline.ts');
    const around = dirname(mount.path);
    const argv = ['--mount', 'sh', '-c', covered, process.execPath, program, around];
    const { stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' });
    assert.match(stdout, /can disk\.mount/, stderr);
    assert.doesNotMatch(stdout, new RegExp(mount.path));
  });

  test('kill -9 of the file system: the fault has failed, and its mount is detached', async () => {
    await begin(failing('lost'));
    mount.process.kill('SIGKILL');
    await until('the agent notices', async () => (await agent.fault('lost')).state === 'failed', {
      timeoutMs: 15_000,
    });
    assert.match((await agent.fault('lost')).error ?? '', /file-system process .* has ended/);
    assert.equal(ourMountAt(mount.path), undefined);
    const { status } = await agent.ask('POST', '/v1/faults', failing('too-late'));
    assert.equal(status, 422);
  });
});

test("a running broker's directory is not covered", { skip: lacks('root', 'fuse') }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-used-'));
  const used = openSync(join(directory, '.lock'), 'w');
  try {
    const argv = ['mount', directory, directory];
    const { status, stderr } = spawnSync(join(ROOT, 'faultline'), argv, { encoding: 'utf8' });
    assert.notEqual(status, 0);
    assert.match(
      stderr,
      new RegExp(`${directory} is in use: pid ${process.pid} has .*/.lock open`),
    );
    assert.equal(ourMountAt(directory), undefined);
  } finally {
    closeSync(used);
    rmSync(directory, { recursive: true });
  }
});
