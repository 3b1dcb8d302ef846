import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { taskInfo } from '../../src/cli/trogdor/coordinator-client.ts';
import { durationText, gridText, instantText, prettyJson } from '../../src/cli/trogdor/format.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { freePort } from '../support/trogdor/real.ts';
import { until } from '../support/until.ts';

const NO_OP = 'org.apache.kafka.trogdor.task.NoOpTaskSpec';
const ID = '9223372036854775807';
/** Every look is a process. */
const PATIENT = { timeoutMs: 60_000 };

test('what the clients print reads as what the Java ones print', () => {
  assert.equal(instantText(1_795_636_690_520), '2026-11-25T19:58:10.52Z');
  assert.equal(instantText(4_102_444_800_000), '2100-01-01T00:00:00Z');
  assert.equal(durationText(10_000_000), '2h46m40s');
  assert.equal(durationText(3_442), '3s');
  assert.equal(durationText(0), '0s');
  assert.equal(
    gridText([
      ['ID', 'STATE'],
      ['later', 'DONE'],
    ]),
    'ID    STATE \nlater DONE  \n',
  );
  assert.equal(
    prettyJson({ class: 'c', nodeNames: ['n9'], in: { a: 1 } }),
    '{\n  "class" : "c",\n  "nodeNames" : [ "n9" ],\n  "in" : {\n    "a" : 1\n  }\n}',
  );
  const spec = { class: 'c', startMs: 0, durationMs: 5_000 };
  const done = { state: 'DONE', spec, doneMs: 4_000 } as const;
  assert.equal(
    taskInfo({ ...done, startedMs: 1_000 }),
    'FINISHED at 1970-01-01T00:00:04Z after 3s',
  );
  assert.equal(
    taskInfo({ ...done, startedMs: -1, error: 'no' }),
    'FAILED at 1970-01-01T00:00:04Z',
    'not after 498723 hours',
  );
  assert.match(taskInfo({ ...done, startedMs: 0, cancelled: true }), /^CANCELLED at/);
});

interface Ran {
  code: number | null;
  out: string;
  error: string;
}

suite("Trogdor's command lines", { skip: lacks('linux') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-trogdor-cli-'));
  const file = (name: string): string => join(directory, name);
  const daemons: ChildProcess[] = [];
  let env: NodeJS.ProcessEnv;
  let agentAt = '';
  let coordinatorAt = '';
  let ownAgentAt = '';

  function launch(...argv: string[]): ChildProcess {
    const script = join(ROOT, 'compat', 'trogdor.sh');
    return spawn(script, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async function run(...argv: string[]): Promise<Ran> {
    const child = launch(...argv);
    const ran: Ran = { code: null, out: '', error: '' };
    child.stdout?.on('data', (chunk: Buffer) => (ran.out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (ran.error += chunk.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    return { ...ran, code: child.exitCode };
  }

  const client = (command: string, ...rest: string[]): Promise<Ran> =>
    run('client', command, '-t', coordinatorAt, ...rest);
  const agentClient = (command: string, ...rest: string[]): Promise<Ran> =>
    run('agent-client', command, '-t', agentAt, ...rest);

  /** As kafkatest does: until the line stands in the log file that log4j's configuration names. */
  async function daemon(role: 'agent' | 'coordinator'): Promise<void> {
    const log = file(`${role}.log`);
    writeFileSync(file(`${role}.properties`), `log4j.appender.log.File=${log}\n`);
    env['KAFKA_LOG4J_OPTS'] = `-Dlog4j.configuration=file:${file(`${role}.properties`)}`;
    daemons.push(launch(role, `--${role}.config`, file('trogdor.conf'), '--node-name', 'n1'));
    await until(
      `the ${role}'s line`,
      () => existsSync(log) && readFileSync(log, 'utf8').includes(`Starting ${role} process.`),
      { timeoutMs: 20_000 },
    );
  }

  before(async () => {
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
    [agentAt, coordinatorAt] = [`127.0.0.1:${ports[0]}`, `127.0.0.1:${ports[1]}`];
    ownAgentAt = `http://127.0.0.1:${ports[2]}`;
    env = {
      ...process.env,
      FAULTLINE_STATE: directory,
      FAULTLINE_LISTEN: `127.0.0.1:${ports[3]}`,
      FAULTLINE_LOG: 'error',
    };
    const node = {
      hostname: '127.0.0.1',
      'trogdor.agent.port': ports[0],
      'trogdor.coordinator.port': ports[1],
      'faultline.agent.port': ports[2],
    };
    const platform = 'org.apache.kafka.trogdor.basic.BasicPlatform';
    writeFileSync(file('trogdor.conf'), JSON.stringify({ platform, nodes: { n1: node } }));
  });
  after(async () => {
    for (const child of daemons) child.kill('SIGTERM');
    for (const child of daemons)
      await until('a daemon to end', () => child.exitCode !== null || child.signalCode !== null);
    rmSync(directory, { recursive: true, force: true });
  });

  test('the agent: its line comes once the port is open, and all its commands work', async () => {
    await daemon('agent');
    assert.match((await agentClient('uptime')).out, /^Agent is running at 127.*\n\tStart time: 20/);
    const spec = JSON.stringify({ class: NO_OP, startMs: Date.now(), durationMs: 600_000 });
    const worker = ['--workerId', ID, '--taskId', 't', '-s', spec];
    const create = await agentClient('createWorker', ...worker);
    assert.equal(create.out, `Sent CreateWorkerRequest for worker ${ID}.\n`, create.error);
    const shown = await agentClient('status');
    assert.match(shown.out, new RegExp(`${ID} t +Worker(Starting|Running) `));
    assert.equal((await agentClient('stopWorker', '--workerId', ID)).code, 0);
    assert.equal((await agentClient('destroyWorker', '--workerId', ID)).code, 0);
    assert.doesNotMatch((await agentClient('status', '--json')).out, new RegExp(ID));
  });

  test('its own API takes a token that nobody can work out of trogdor.conf', async () => {
    const ask = async (token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${ownAgentAt}/v1/faults`, { headers })).status;
    };
    const { nodes } = JSON.parse(readFileSync(file('trogdor.conf'), 'utf8')) as {
      nodes: Record<string, Record<string, unknown>>;
    };
    const n1 = nodes['n1'];
    const described = {
      name: 'n1',
      hostname: n1?.['hostname'],
      agentPort: n1?.['trogdor.agent.port'],
      coordinatorPort: n1?.['trogdor.coordinator.port'],
      ownAgentPort: n1?.['faultline.agent.port'],
      tags: [],
    };
    const worked = createHash('sha256')
      .update(JSON.stringify([described]))
      .digest('hex');
    assert.equal(await ask(worked), 401);
    const tokenFile = join(directory, 'trogdor', 'token');
    assert.equal(await ask(readFileSync(tokenFile, 'utf8').trim()), 200);
    assert.equal(statSync(tokenFile).mode & 0o777, 0o600);
  });

  test('the coordinator: a task from a file, shown, stopped, destroyed', async () => {
    await daemon('coordinator');
    writeFileSync(file('spec.json'), `/* no-op */ {"class":"${NO_OP}","durationMs":600000}`);
    const create = await client('createTask', '-i', 'one', '-s', file('spec.json'));
    assert.equal(create.out, 'Sent CreateTaskRequest for task one.\n', create.error);
    await until(
      'the task to run',
      async () =>
        /one +\S*NoOpTaskSpec RUNNING Started .*; will stop after 10m/.test(
          (await client('showTasks')).out,
        ),
      PATIENT,
    );
    const shown = await client('showTask', '-i', 'one', '-S');
    assert.match(shown.out, /^Task one of type \S+ is RUNNING\. Started .*\nStatus: "active"\n/);
    const other = await client('createTask', '-i', 'one', '-s', `{"class":"${NO_OP}"}`);
    assert.equal(other.code, 1);
    assert.match(other.out, /got a 409 status code/);
    assert.equal(
      (await client('stopTask', '-i', 'one')).out,
      'Sent StopTaskRequest for task one.\n',
    );
    await until(
      'the task to end',
      async () =>
        (await client('showTasks', '--id-pattern', 'o.e', '-s', 'DONE')).out.includes('CANCELLED'),
      PATIENT,
    );
    await client('destroyTask', '-i', 'one');
    const gone = await client('showTask', '-i', 'one');
    assert.deepEqual([gone.code, gone.out], [1, 'Task one was not found.\n']);
    const bad = await client('createTask', '-i', 'bad', '-s', '{"class":"NoOpTaskSpec","x":1}');
    assert.equal(bad.code, 1);
    assert.match(bad.error, /unknown field 'x'/);
    assert.equal((await client('shutdown')).out, 'Sent ShutdownRequest.\n');
    await until('it to end', () => daemons[1]?.exitCode === 0);
  });

  test('one task without a coordinator, and what is said of mistakes', async () => {
    const config = ['-c', file('trogdor.conf'), '-n', 'n1'];
    assert.equal((await agentClient('shutdown')).code, 0);
    await until('the agent to end', () => daemons[0]?.exitCode === 0);
    const short = await run('agent', ...config, '-e', `{"class":"${NO_OP}","durationMs":500}`);
    assert.match(
      short.out,
      /Waiting for completion of task:\{[^]*Task succeeded with status "done"/,
    );
    assert.equal(short.code, 0, short.error);
    const none = await run('agent', ...config, '-e', `{"class":"${NO_OP}"}`);
    assert.equal(none.code, 1);
    assert.match(none.out, /Task failed with status null and error worker expired/);
    const missing = await run('client', 'showTask', '-t', coordinatorAt);
    assert.equal(missing.code, 1);
    assert.match(missing.error, /argument --id is required/);
    assert.equal((await run('client')).code, 1);
    assert.equal((await run('client', 'uptime', '-t', coordinatorAt)).code, 1);
    assert.equal((await run('help')).code, 0);
  });
});
