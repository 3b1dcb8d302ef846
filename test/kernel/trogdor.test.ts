/**
 * Trogdor's own Java programs against our daemons, on a real kernel: its command lines drive our
 * coordinator, and its coordinator drives our agents.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { AgentProcess } from '../support/agent-process.ts';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { TestNetwork, type TestNode } from '../support/netns.ts';
import { javaOf } from '../support/trogdor/jars.ts';
import { writeTrogdorConfig } from '../support/trogdor/real.ts';
import { until } from '../support/until.ts';

const AGENT = 8888;
const COORDINATOR = 8889;
const THEIR_COORDINATOR = 8890;
const PARTITION = 'org.apache.kafka.trogdor.fault.NetworkPartitionFaultSpec';
const STOP = 'org.apache.kafka.trogdor.fault.ProcessStopFaultSpec';
const TOKEN = 'a-token-that-agents-and-coordinator-share';

interface Ran {
  code: number | null;
  output: string;
}

interface Task {
  state: string;
  error?: string;
  cancelled?: boolean;
  status?: unknown;
}

class Rig {
  readonly network = new TestNetwork('fltrog', 3, 66);
  readonly directory = mkdtempSync(join(tmpdir(), 'faultline-trogdor-kernel-'));
  readonly #children: ChildProcess[] = [];
  readonly #agents: AgentProcess[] = [];

  node(index: number): TestNode {
    const node = this.network.nodes[index - 1];
    assert.ok(node);
    return node;
  }

  get home(): TestNode {
    return this.node(3);
  }

  get tokenFile(): string {
    return join(this.directory, 'token');
  }

  config(coordinatorPort: number): string {
    const path = join(this.directory, `trogdor-${coordinatorPort}.conf`);
    const of = (node: TestNode) => ({ hostname: node.address, 'trogdor.agent.port': AGENT });
    writeTrogdorConfig(path, {
      n1: of(this.node(1)),
      n2: of(this.node(2)),
      home: {
        hostname: this.home.address,
        'trogdor.agent.port': 0,
        'trogdor.coordinator.port': coordinatorPort,
      },
    });
    return path;
  }

  /** Made before the agents start: each sees the mounts that were there when it did. */
  mount: DiskMount | undefined;

  async start(): Promise<void> {
    if (lacks('fuse') === false) this.mount = await DiskMount.start();
    writeFileSync(this.tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    const door = ['--insecure', '--trogdor-config', this.config(COORDINATOR)];
    for (const node of [this.node(1), this.node(2)]) {
      const agent = new AgentProcess(['ip', 'netns', 'exec', node.namespace], {
        node: node.name,
        listen: `${node.address}:7711`,
        extra: ['--trogdor', `${AGENT}`, '--token-file', this.tokenFile, ...door],
      });
      this.#agents.push(await agent.start());
    }
    const argv = [join(ROOT, 'faultline'), 'coordinator', '--listen', '127.0.0.1:7700'];
    argv.push('--state', join(this.directory, 'state'), '--agent-token-file', this.tokenFile);
    const ours = this.launch([...argv, '--trogdor', `${COORDINATOR}`, ...door]);
    let said = '';
    ours.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until('the coordinator to be ready', () => said.includes(' is ready: '), {
      timeoutMs: 20_000,
    });
    assert.match(said, /without authentication/);
  }

  launch(argv: readonly string[]): ChildProcess {
    const options = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'] };
    const child = this.network.spawn(this.home, argv, options);
    child.stderr?.resume();
    this.#children.push(child);
    return child;
  }

  /** One of Trogdor's command lines, to its end. */
  client(side: 'Coordinator' | 'Agent', rest: string[]): Promise<Ran> {
    const main = `org.apache.kafka.trogdor.${side.toLowerCase()}.${side}Client`;
    return ended(this.launch(javaOf(main, ...rest)));
  }

  /** Asks a coordinator's door from its own namespace. */
  ask(port: number, method: string, path: string, body?: unknown): unknown {
    const argv = ['curl', '-sS', '-X', method, `http://${this.home.address}:${port}${path}`];
    if (body !== undefined)
      argv.push('-H', 'content-type: application/json', '-d', JSON.stringify(body));
    return JSON.parse(this.network.run(this.home, argv));
  }

  task(id: string, port = COORDINATOR): Task {
    return this.ask(port, 'GET', `/coordinator/tasks/${id}`) as Task;
  }

  tables(index: number): string {
    return this.network.run(this.node(index), ['nft', 'list', 'tables']);
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGTERM');
    for (const child of this.#children) await exited(child);
    for (const agent of this.#agents) await agent.close();
    await this.mount?.[Symbol.asyncDispose]();
    this.network.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function exited(child: ChildProcess): Promise<number | null> {
  await until('a child to end', () => child.exitCode !== null || child.signalCode !== null, {
    timeoutMs: 30_000,
  });
  return child.exitCode;
}

async function ended(child: ChildProcess): Promise<Ran> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await exited(child);
  return { code, output };
}

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
    const rig = new Rig();
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
