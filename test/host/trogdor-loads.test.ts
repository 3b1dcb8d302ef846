import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { lacks } from '../support/needs.ts';
import { LoadRig } from '../support/trogdor/load-rig.ts';
import { until } from '../support/until.ts';

/** A program that says what it was told, and then waits for its end. */
const ECHO = `
process.stdin.once('data', (line) => {
  console.log(JSON.stringify({ status: JSON.parse(line), log: 'told' }));
  console.log('not JSON');
});
process.on('SIGTERM', () => {
  console.log(JSON.stringify({ status: 'ended' }));
  process.exit(7);
});
setInterval(() => undefined, 1000);
`;
const EXTERNAL = 'org.apache.kafka.trogdor.workload.ExternalCommandSpec';
const node = (...argv: string[]): string[] => [process.execPath, ...argv];
const external = (command: string[], more: object = {}) => ({
  class: EXTERNAL,
  durationMs: 600_000,
  commandNode: 'n1',
  command,
  ...more,
});

/** Whether a program with this argument runs, apart from what starts it. */
function runs(mark: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith(`\0${mark}\0`);
    } catch {
      return false;
    }
  });
}

/** Every load is a process, and so is what it starts. */
const PATIENT = { timeoutMs: 60_000 };

suite("loads of Trogdor's protocol", { skip: lacks('linux') }, () => {
  const rig = new LoadRig([process.execPath, '/no/such/program']);
  const workloads = (): string[] => {
    const place = join(rig.directory, 'agent', 'workloads');
    return existsSync(place) ? readdirSync(place) : [];
  };
  before(() => rig.start());
  after(() => rig.close());

  test('a program is told its task, its status is the task, and it ends when it is told to', async () => {
    const workload = { a: null, b: [], c: {} };
    const spec = external(node('-e', ECHO), { workload });
    await rig.create('echo', spec);
    const running = await until(
      'its status',
      async () => {
        const now = await rig.task('echo');
        return now.state === 'RUNNING' && now.status !== null && now;
      },
      PATIENT,
    );
    assert.deepEqual(running.status, { id: 'echo', workload });
    assert.deepEqual((running.spec as { workload: unknown }).workload, workload);
    await rig.call('PUT', 'task/stop', { id: 'echo' });
    const done = await rig.reaches('echo', 'DONE');
    assert.deepEqual([done.status, done.error, done.cancelled], ['ended', undefined, true]);
    assert.ok((done.doneMs ?? 0) >= (done.startedMs ?? 0) && (done.startedMs ?? 0) > 0);
    await until('its files are gone', () => workloads().length === 0, PATIENT);
  });

  test('how a program fails is the error of its task', async () => {
    await rig.create('exits', external(node('-e', 'process.exit(3)')));
    await rig.create(
      'says',
      external(node('-e', 'console.log(JSON.stringify({error: "broken"}))')),
    );
    await rig.create('missing', external(['/no/such/program']));
    const errors = ['exits', 'says', 'missing'].map(
      async (id) => (await rig.reaches(id, 'DONE')).error,
    );
    const [exits, says, missing] = await Promise.all(errors);
    assert.match(exits ?? '', /n1: the program ended with exit status 3/);
    assert.match(says ?? '', /n1: broken/);
    assert.match(missing ?? '', /did not start.*ENOENT/);
  });

  test('only programs that the agent names are run, and no shell', async () => {
    await rig.create('shell', external(['/bin/sh', '-c', 'true']));
    const done = await rig.reaches('shell', 'DONE');
    assert.match(
      done.error ?? '',
      /does not run '\/bin\/sh' for others; name it under externalCommands/,
    );
    assert.equal(done.startedMs, -1);
    const literal = external(
      node('-e', 'console.log(JSON.stringify({status: process.argv[1]}))', '$(id)'),
    );
    await rig.create('literal', literal);
    assert.equal((await rig.reaches('literal', 'DONE')).status, '$(id)');
  });

  test('a program that does not listen is killed after its grace; time is up by itself', async () => {
    const deaf = `process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000)`;
    const spec = external(node('-e', deaf), { durationMs: 1_500, shutdownGracePeriodMs: 100 });
    await rig.create('deaf', spec);
    const done = await rig.reaches('deaf', 'DONE');
    assert.deepEqual([done.error, done.cancelled], [undefined, false]);
  });

  test('a restarted coordinator knows the load that runs, and the one that has ended', async () => {
    const mark = `stays-${process.pid}`;
    await rig.create('stays', external(node('-e', ECHO, mark)));
    await rig.reaches('stays', 'RUNNING');
    await until('the program runs', () => runs(mark), PATIENT);
    const before = await rig.task('exits');
    await rig.stopCoordinator();
    await rig.startCoordinator();
    const running = await rig.reaches('stays', 'RUNNING');
    assert.ok((running.startedMs ?? 0) > 0);
    assert.deepEqual(await rig.task('exits'), before);
    await rig.call('DELETE', 'tasks?taskId=stays');
    await until('its process is gone', () => workloads().length === 0, PATIENT);
    await until('the program is gone', () => !runs(mark), PATIENT);
  });

  test('a spec that makes no sense is refused with everything that is wrong with it', async () => {
    const spec = {
      class: 'ProduceBenchSpec',
      producerNode: 'n9',
      valueGenerator: { type: 'magic' },
    };
    const answer = await rig.call('POST', 'task/create', { id: 'bad', spec });
    assert.equal(answer.status, 400);
    assert.match(String(answer.body['message']), /valueGenerator.*uniformRandom/);
    const more = { ...spec, valueGenerator: undefined, activeTopics: { 'a[3-1]': {} } };
    const second = await rig.call('POST', 'task/create', { id: 'bad', spec: more });
    assert.match(String(second.body['message']), /bootstrapServers.*\n.*begins after its end/);
    const third = { ...external(['x']), commandNode: 'n9' };
    const unknown = await rig.call('POST', 'task/create', { id: 'bad', spec: third });
    assert.match(String(unknown.body['message']), /no node 'n9' with an agent/);
  });

  test("the agent's door alone: a worker is a load, too, and ends with its agent", async () => {
    const spec = { ...external(node('-e', ECHO)), startMs: Date.now() };
    const created = await rig.callAgent('POST', 'worker/create', {
      workerId: 7,
      taskId: 't',
      spec,
    });
    assert.equal(created.status, 200, JSON.stringify(created.body));
    const worker = async () => {
      const { workers } = (await rig.callAgent('GET', 'status')).body as {
        workers?: Record<string, { state: string; status: unknown; error?: string }>;
      };
      return workers?.['7'];
    };
    await until(
      'it runs',
      async () => {
        const now = await worker();
        return now?.state === 'RUNNING' && now.status !== null;
      },
      PATIENT,
    );
    await rig.callAgent('PUT', 'worker/stop', { workerId: 7 });
    await until('it is done', async () => (await worker())?.state === 'DONE', PATIENT);
    assert.deepEqual((await worker())?.status, 'ended');
    assert.deepEqual(workloads(), [], 'of what has ended the agent keeps only how it ended');
    await rig.callAgent('POST', 'worker/create', { workerId: 8, taskId: 'u', spec });
    const place = join(rig.directory, 'agent', 'workloads', 'trogdor-worker-8');
    await until('the other runs', () => existsSync(join(place, 'status.json')), PATIENT);
    await rig.stopAgent();
    const last = JSON.parse(readFileSync(join(place, 'status.json'), 'utf8')) as { phase: string };
    assert.equal(last.phase, 'closed');
  });
});
