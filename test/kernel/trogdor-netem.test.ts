/**
 * Which way a degraded network takes where nodes have netem: the commands of a recorded tc, for
 * kernels that lack it. All else is real.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { lacks } from '../support/needs.ts';
import { TcRecorder } from '../support/tc-recorder.ts';
import { COORDINATOR, TrogdorRig } from '../support/trogdor/rig.ts';
import { until } from '../support/until.ts';

const NETEM = /^qdisc replace .* netem limit 50000 delay 50000us 7000us distribution pareto$/;
const SPEC = {
  class: 'org.apache.kafka.trogdor.fault.DegradedNetworkFaultSpec',
  durationMs: 600_000,
  nodeSpecs: { n1: { latencyMs: 50 } },
};

suite(
  'a degraded network where nodes have netem',
  { skip: lacks('root', 'namespaces', 'nft', 'nfqueue') },
  () => {
    const rig = new TrogdorRig();
    const [tc, none] = [new TcRecorder(), new TcRecorder(false)];
    before(() => rig.start([tc, none]));
    after(async () => {
      await rig.close();
      tc.close();
      none.close();
    });

    const run = (id: string, nodeSpecs: object): void => {
      const spec = { ...SPEC, nodeSpecs };
      rig.ask(COORDINATOR, 'POST', '/coordinator/task/create', { id, spec });
    };
    const end = async (id: string): Promise<void> => {
      rig.ask(COORDINATOR, 'PUT', '/coordinator/task/stop', { id });
      await until('the task to end', () => rig.task(id).state === 'DONE');
      assert.equal(rig.task(id).error, undefined);
    };
    const netems = (): string[] => tc.told().filter((line) => line.includes('dev eth0'));

    test('those that send have it: they act, by it', async () => {
      run('by-netem', SPEC.nodeSpecs);
      await until('the task to run', () => rig.task('by-netem').state === 'RUNNING');
      assert.ok(netems().some((line) => NETEM.test(line)));
      assert.match(rig.tables(1), /faultline-/);
      assert.doesNotMatch(rig.tables(2), /faultline-/);
      await end('by-netem');
      assert.deepEqual(netems().at(-1), 'qdisc del dev eth0 root handle fa17:');
    });

    test('one of those that send has not: all are met where they come in', async () => {
      run('by-queue', { n1: { latencyMs: 50 }, n2: { latencyMs: 50 } });
      await until('the task to run', () => rig.task('by-queue').state === 'RUNNING');
      for (const index of [1, 2]) assert.match(rig.tables(index), /faultline-/);
      assert.deepEqual(netems(), []);
      await end('by-queue');
    });

    test('one agent alone makes late what its node sends', async () => {
      const worker = { workerId: 7, taskId: 'alone', spec: { ...SPEC, startMs: Date.now() } };
      const running = (): boolean =>
        JSON.stringify(rig.askAgent(1, 'GET', '/agent/status')).includes('"RUNNING"');
      rig.askAgent(1, 'POST', '/agent/worker/create', worker);
      await until('the worker to run', running);
      assert.ok(netems().some((line) => NETEM.test(line)));
      rig.askAgent(1, 'PUT', '/agent/worker/stop', { workerId: 7 });
      await until('the worker to end', () => !running());
      assert.deepEqual(netems().at(-1), 'qdisc del dev eth0 root handle fa17:');
    });
  },
);
