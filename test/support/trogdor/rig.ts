import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentProcess } from '../agent-process.ts';
import { DiskMount } from '../disk-mount.ts';
import { lacks, ROOT } from '../needs.ts';
import { TestNetwork, type TestNode } from '../netns.ts';
import { pingMs } from '../ping.ts';
import type { TcRecorder } from '../tc-recorder.ts';
import { until } from '../until.ts';
import { javaOf } from './jars.ts';
import { writeTrogdorConfig } from './real.ts';

export const AGENT = 8888;
export const COORDINATOR = 8889;
const TOKEN = 'a-token-that-agents-and-coordinator-share';

/** Clients for the inside of a namespace. */
const CLIENT = `
const [method, url, body] = process.argv.slice(1);
const headers = body ? { 'content-type': 'application/json' } : {};
fetch(url, { method, headers, ...(body ? { body } : {}) })
  .then((answer) => answer.text())
  .then((text) => console.log(text));
`;
const CONNECT = `
const [host, port] = process.argv.slice(1);
const began = performance.now();
require('node:net').connect(Number(port), host, function () {
  console.log(performance.now() - began);
  this.destroy();
});
`;

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

/** Our daemons with their doors open: agents in two namespaces, the coordinator in a third. */
export class TrogdorRig {
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

  /** @param tcs instead of the machine's own: of n1 and n2. */
  async start(tcs: readonly TcRecorder[] = []): Promise<void> {
    if (lacks('fuse') === false) this.mount = await DiskMount.start();
    writeFileSync(this.tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    const door = ['--insecure', '--trogdor-config', this.config(COORDINATOR)];
    for (const [index, node] of [this.node(1), this.node(2)].entries()) {
      const tc = tcs[index];
      const env = tc ? ['env', `PATH=${tc.path}`] : [];
      const agent = new AgentProcess(['ip', 'netns', 'exec', node.namespace, ...env], {
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

  /** How long a connection to an agent's door takes; the least of three, as the machine may be busy. */
  connectMs(from: number, address: string): number {
    const argv = [process.execPath, '-e', CONNECT, address, `${AGENT}`];
    return Math.min(...[1, 2, 3].map(() => Number(this.network.run(this.node(from), argv))));
  }

  /** The shortest round trip that ping(8) finds. */
  pingMs(from: number, address: string): number {
    return Math.min(...pingMs(this.network, this.node(from), address, 3));
  }

  askAgent(index: number, method: string, path: string, body?: unknown): unknown {
    return this.#ask(`${this.node(index).address}:${AGENT}`, method, path, body);
  }

  /** Asks a coordinator's door from its own namespace. */
  ask(port: number, method: string, path: string, body?: unknown): unknown {
    return this.#ask(`${this.home.address}:${port}`, method, path, body);
  }

  #ask(at: string, method: string, path: string, body?: unknown): unknown {
    const text = body === undefined ? '' : JSON.stringify(body);
    const argv = [process.execPath, '-e', CLIENT, method, `http://${at}${path}`, text];
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
