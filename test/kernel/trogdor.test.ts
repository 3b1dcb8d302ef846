/**
 * Trogdor's own Java programs against our daemons, on a real kernel: its command lines drive our
 * coordinator, and its coordinator drives our agents.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { lacks } from '../support/needs.ts';
import { javaOf } from '../support/trogdor/jars.ts';
import { AGENT, COORDINATOR, TrogdorRig } from '../support/trogdor/rig.ts';
import { until } from '../support/until.ts';

const THEIR_COORDINATOR = 8890;
const PARTITION = 'org.apache.kafka.trogdor.fault.NetworkPartitionFaultSpec';
const STOP = 'org.apache.kafka.trogdor.fault.ProcessStopFaultSpec';

const stateOf = (pid: number): string =>
  /^\d+ \(.*\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';

/** What a file holds, or the error's code. */
function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

suite(
  "Trogdor's programs and our daemons",
  { skip: lacks('root', 'namespaces', 'nft', 'java', 'trogdor-jars') },
  () => {
    const rig = new TrogdorRig();
    const target = `${rig.home.address}:${COORDINATOR}`;
    before(() => rig.start());
    after(() => rig.close());

    test('its command line makes a network partition that bites, and ends it', async () => {
      const spec = { class: PARTITION, durationMs: 600_000, partitions: [['n1'], ['n2']] };
      const text = JSON.stringify(spec);
      const create = ['createTask', '-t', target, '-i', 'cut', '-s', text];
      const made = await rig.client('Coordinator', create);
      assert.match(made.output, /Sent CreateTaskRequest for task cut\./);
      assert.equal(made.code, 0);
      await until('the task to run', () => rig.task('cut').state === 'RUNNING');
      assert.deepEqual(rig.task('cut').status, {
        n1: 'created network partition cut',
        n2: 'created network partition cut',
      });
      for (const index of [1, 2]) assert.match(rig.tables(index), /faultline-/);

      const shown = await rig.client('Coordinator', ['showTasks', '-t', target]);
      assert.match(shown.output, /cut\s+\S*NetworkPartitionFaultSpec\s+RUNNING\s+Started/);
      const onAgent = await rig.client('Agent', [
        'status',
        '-t',
        `${rig.node(1).address}:${AGENT}`,
      ]);
      assert.equal(onAgent.code, 0, onAgent.output);

      const stopped = await rig.client('Coordinator', ['stopTask', '-t', target, '-i', 'cut']);
      assert.match(stopped.output, /Sent StopTaskRequest for task cut\./);
      await until('the task to end', () => rig.task('cut').state === 'DONE');
      assert.equal(rig.task('cut').cancelled, true);
      assert.equal(rig.task('cut').error, undefined);
      for (const index of [1, 2]) assert.doesNotMatch(rig.tables(index), /faultline-/);
    });

    test('a process is stopped and goes on; a name that matches none is an error', async () => {
      const seconds = '987654321';
      const jvm = spawn('/bin/sleep', [seconds], { argv0: 'java', stdio: 'ignore' });
      try {
        const create = (id: string, javaProcessName: string): unknown =>
          rig.ask(COORDINATOR, 'POST', '/coordinator/task/create', {
            id,
            spec: { class: STOP, durationMs: 600_000, nodeNames: ['n1'], javaProcessName },
          });
        assert.deepEqual(create('pause', seconds), {});
        await until('the task to run', () => rig.task('pause').state === 'RUNNING');
        assert.equal(stateOf(jvm.pid ?? 0), 'T');
        rig.ask(COORDINATOR, 'PUT', '/coordinator/task/stop', { id: 'pause' });
        await until('the task to end', () => rig.task('pause').state === 'DONE');
        assert.notEqual(stateOf(jvm.pid ?? 0), 'T');

        assert.deepEqual(create('nobody', 'no.such.Class'), {});
        await until('the task to end', () => rig.task('nobody').state === 'DONE');
        assert.match(rig.task('nobody').error ?? '', /0 process\(es\) match/);
      } finally {
        jvm.kill('SIGKILL');
      }
    });

    test('files become unreadable, and readable again', { skip: lacks('fuse') }, async () => {
      const { mount } = rig;
      assert.ok(mount);
      for (const name of ['data-1', 'other']) writeFileSync(mount.file(name), 'text');
      rig.ask(COORDINATOR, 'POST', '/coordinator/task/create', {
        id: 'files',
        spec: {
          class: 'org.apache.kafka.trogdor.fault.FilesUnreadableFaultSpec',
          durationMs: 600_000,
          nodeNames: ['n1'],
          mountPath: mount.path,
          prefix: 'data',
          errorCode: 5,
        },
      });
      await until('the task to run', () => rig.task('files').state === 'RUNNING');
      assert.equal(contents(mount.file('data-1')), 'EIO');
      assert.equal(contents(mount.file('other')), 'text');
      rig.ask(COORDINATOR, 'PUT', '/coordinator/task/stop', { id: 'files' });
      await until('the task to end', () => rig.task('files').state === 'DONE');
      assert.equal(rig.task('files').error, undefined);
      assert.equal(contents(mount.file('data-1')), 'text');
    });

    test(
      'a degraded network is slow both for our coordinator and for one agent alone',
      { skip: lacks('nfqueue', 'ping') },
      async () => {
        const degraded = {
          class: 'org.apache.kafka.trogdor.fault.DegradedNetworkFaultSpec',
          nodeSpecs: { n1: { latencyMs: 300 } },
        };
        const there = rig.node(2).address;
        const here = rig.node(1).address;
        assert.ok(rig.connectMs(1, there) < 250);
        assert.ok(rig.pingMs(1, there) < 250);
        const spec = { ...degraded, durationMs: 600_000 };
        rig.ask(COORDINATOR, 'POST', '/coordinator/task/create', { id: 'slow', spec });
        await until('the task to run', () => rig.task('slow').state === 'RUNNING');
        assert.equal(rig.task('slow').status, 'enabled traffic control slow');
        assert.ok(rig.connectMs(1, there) > 250);
        assert.ok(rig.pingMs(1, there) > 250);
        assert.ok(rig.pingMs(2, here) > 250);
        rig.ask(COORDINATOR, 'PUT', '/coordinator/task/stop', { id: 'slow' });
        await until('the task to end', () => rig.task('slow').state === 'DONE');
        assert.equal(rig.task('slow').status, 'disabled traffic control slow');
        assert.ok(rig.connectMs(1, there) < 250);

        const worker = { workerId: 7, taskId: 'alone', spec: { ...spec, startMs: Date.now() } };
        const running = (): boolean =>
          JSON.stringify(rig.askAgent(1, 'GET', '/agent/status')).includes('"RUNNING"');
        rig.askAgent(1, 'POST', '/agent/worker/create', worker);
        await until('the worker to run', running);
        assert.ok(rig.connectMs(1, there) > 250);
        assert.ok(rig.pingMs(1, there) > 250);
        assert.ok(rig.pingMs(2, here) > 250);
        rig.askAgent(1, 'PUT', '/agent/worker/stop', { workerId: 7 });
        await until('the worker to end', () => !running());
        assert.ok(rig.connectMs(1, there) < 250);
      },
    );

    test('one agent alone limits what its node sends', { skip: lacks('htb') }, async () => {
      const nodeSpecs = { n1: { rateLimitKbit: 1000 } };
      const name = 'org.apache.kafka.trogdor.fault.DegradedNetworkFaultSpec';
      const spec = { class: name, startMs: Date.now(), durationMs: 600_000, nodeSpecs };
      const running = (): boolean =>
        JSON.stringify(rig.askAgent(1, 'GET', '/agent/status')).includes('"RUNNING"');
      const qdiscs = (): string => rig.network.run(rig.node(1), ['tc', 'qdisc', 'show']);
      rig.askAgent(1, 'POST', '/agent/worker/create', { workerId: 8, taskId: 'thin', spec });
      await until('the worker to run', running);
      assert.match(qdiscs(), /htb fa17: dev eth0 root/);
      rig.askAgent(1, 'PUT', '/agent/worker/stop', { workerId: 8 });
      await until('the worker to end', () => !running());
      assert.doesNotMatch(qdiscs(), /fa17/);
    });

    test('its coordinator drives our agents', async () => {
      const argv = javaOf('org.apache.kafka.trogdor.coordinator.Coordinator');
      const config = rig.config(THEIR_COORDINATOR);
      const theirs = rig.launch([...argv, '--coordinator.config', config, '--node-name', 'home']);
      theirs.stdout?.resume();
      const ask = (method: string, path: string, body?: unknown): unknown =>
        rig.ask(THEIR_COORDINATOR, method, path, body);
      await until(
        'the Java coordinator to be up',
        () => {
          try {
            return ask('GET', '/coordinator/status') !== undefined;
          } catch {
            // Not up yet.
            return false;
          }
        },
        { timeoutMs: 60_000, everyMs: 200 },
      );
      const spec = { class: PARTITION, durationMs: 600_000, partitions: [['n1'], ['n2']] };
      ask('POST', '/coordinator/task/create', { id: 'theirs', spec });
      const created = 'created network partition theirs';
      await until('every worker to run', () => {
        const { status } = rig.task('theirs', THEIR_COORDINATOR);
        return JSON.stringify(status) === JSON.stringify({ n1: created, n2: created });
      });
      for (const index of [1, 2]) assert.match(rig.tables(index), /faultline-/);
      ask('PUT', '/coordinator/task/stop', { id: 'theirs' });
      await until('the task to end', () => rig.task('theirs', THEIR_COORDINATOR).state === 'DONE');
      assert.equal(rig.task('theirs', THEIR_COORDINATOR).error, undefined);
      for (const index of [1, 2]) assert.doesNotMatch(rig.tables(index), /faultline-/);
    });

    test('its command line ends our coordinator', async () => {
      const { output, code } = await rig.client('Coordinator', ['shutdown', '-t', target]);
      assert.equal(code, 0, output);
      assert.match(output, /Sent ShutdownRequest/);
    });
  },
);
