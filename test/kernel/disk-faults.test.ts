import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import type { Event } from '../../src/core/model/fault-status.ts';
import { controlPath } from '../../src/host/fuse/control-path.ts';
import { ourMountAt } from '../../src/host/fuse/mounts.ts';
import { HttpClient } from '../../src/host/http-client.ts';
import { AgentProcess, childrenOf, commandLine } from '../support/agent-process.ts';
import { DiskMount, run } from '../support/disk-mount.ts';
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

/** For events that are followed until enough has been seen. */
function following(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(20_000)]);
  return { signal, abort: () => controller.abort() };
}

suite('disk faults through an agent', { skip: lacks('root', 'fuse') }, () => {
  let mount: DiskMount;
  /** It lives, but nobody knows where it listens. */
  let unheard: DiskMount;
  let agent: AgentProcess;
  const hidden = (): string => `${controlPath(unheard.path)}-hidden`;
  const log = (): string => mount.file('orders-0', '00000000000000000000.log');
  const index = (): string => mount.file('orders-0', '00000000000000000000.index');

  before(async () => {
    [mount, unheard] = await Promise.all([
      DiskMount.start({ overItself: true }),
      DiskMount.start(),
    ]);
    renameSync(controlPath(unheard.path), hidden());
    mkdirSync(mount.file('orders-0'));
    agent = await new AgentProcess([]).start();
  });
  after(async () => {
    await agent.close();
    await mount[Symbol.asyncDispose]();
    await unheard[Symbol.asyncDispose]();
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
    assert.deepEqual(receipt.after, { query: 'diskFault', inForce: false, matched: 1, hits: 1 });
    assert.equal(write(log()), 'ok');
  });

  test('each hit is an event: the first as they are, all others counted', async () => {
    await begin(failing('told'));
    const { signal, abort } = following();
    const client = new HttpClient({ url: agent.url, token: agent.token });
    const events = client.events('/v1/events', { query: { after: '0', fault: 'told' }, signal });
    for (let count = 0; count < 200; count++) assert.equal(write(log()), 'EIO');
    await agent.ask('DELETE', '/v1/faults/told?wait=10s');
    const hits: Event[] = [];
    let told = 0;
    for await (const { data } of events) {
      const event = data as Event;
      if (event.type !== 'fault.hit') continue;
      hits.push(event);
      const { operation, leftOut } = event.data as { operation?: string; leftOut: number };
      told += leftOut + (operation === undefined ? 0 : 1);
      if (told >= 200) break;
    }
    abort();
    assert.equal(told, 200);
    assert.ok(hits.length < 50, `${hits.length} events`);
    const path = 'orders-0/00000000000000000000.log';
    assert.equal(hits[0]?.message, `disk.error 'told' has hit write of '${path}': EIO`);
  });

  test('it is seen without anybody using the disk, which stays as it was', async () => {
    const [segment, unfit] = [mount.file('orders-1', '7.log'), mount.file('orders-1', '7.index')];
    mkdirSync(mount.file('orders-1'));
    for (const path of [segment, unfit]) writeFileSync(path, 'records');
    const names = (): Set<unknown> =>
      new Set<unknown>(readdirSync(mount.path, { recursive: true }));
    const before = names();
    const kinds = { 'disk.error': { errno: 'EIO' }, 'disk.stall': {} };
    for (const [kind, more] of Object.entries(kinds)) {
      const id = kind.replace('.', '-');
      const match = { op: ['read'] };
      const topicPartitions = ['orders-1'];
      const params = { directory: mount.path, preset: 'log', topicPartitions, match, ...more };
      await begin({ id, kind, params, duration: '60s' });
      await until('it is seen', async () => (await agent.fault(id)).receipt.effect === 'seen');
      // Who was held is let go of while the fault still stands.
      const isReader = (pid: number): boolean => commandLine(pid).startsWith('head ');
      await until('no reader is left', () => !childrenOf(agent.pid).some(isReader));
      assert.equal((await agent.fault(id)).state, 'active');
      await agent.ask('DELETE', `/v1/faults/${id}?wait=10s`);
    }
    assert.deepEqual(names(), before);
    for (const path of [segment, unfit]) assert.equal(readFileSync(path, 'utf8'), 'records');
  });

  test('a mount that never answered is left alone', () => {
    assert.notEqual(ourMountAt(unheard.path), undefined);
    writeFileSync(unheard.file('f'), 'it lives');
  });

  test('one that hangs holds up no fault of another', async () => {
    renameSync(hidden(), controlPath(unheard.path));
    unheard.process.kill('SIGSTOP');
    try {
      await begin(failing('beside'));
      await agent.ask('DELETE', '/v1/faults/beside?wait=10s');
    } finally {
      unheard.process.kill('SIGCONT');
    }
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

  test('kill -9 of the file system under load: errors, detached within 2 s, failed', async (t) => {
    await begin(failing('lost'));
    const script = `
      const fs = require('fs'); const fd = fs.openSync(process.argv[1], 'w');
      process.stdout.write('writing ');
      try { for (;;) fs.writeSync(fd, Buffer.alloc(65536), 0, 65536, 0); }
      catch (error) { process.stdout.write(error.code); }`;
    const loads = [0, 1].map((index) =>
      run([process.execPath, '-e', script, mount.file(`load${index}`)]),
    );
    const isLoaded = (index: number): boolean => existsSync(mount.file(`load${index}`));
    await until('the load is on', () => isLoaded(0) && isLoaded(1));
    const killedAt = performance.now();
    const since = (): string => `${Math.round(performance.now() - killedAt)} ms`;
    mount.process.kill('SIGKILL');
    await until('the mount is detached', () => ourMountAt(mount.path) === undefined, {
      timeoutMs: 2_000,
    });
    t.diagnostic(`detached after ${since()}`);
    await until('the fault has failed', async () => (await agent.fault('lost')).state === 'failed');
    t.diagnostic(`failed after ${since()}`);
    for (const { out } of await Promise.all(loads)) {
      assert.match(out, /^writing (ECONNABORTED|ENOTCONN|EIO)$/);
    }
    t.diagnostic(`every writer has its error after ${since()}`);
    const { body } = await agent.ask('GET', '/v1/faults/lost');
    assert.equal(body['state'], 'failed');
    const client = new HttpClient({ url: agent.url, token: agent.token });
    const { signal, abort } = following();
    for await (const { data } of client.events('/v1/events', { query: { after: '0' }, signal })) {
      const { type, message } = data as Event;
      // Who detached it, this or a renewal that came by at that moment, is all the same.
      const isSaid = message.startsWith(`the file system at ${mount.path} has ended`);
      if (type === 'disk.ended' && isSaid) break;
    }
    abort();
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
