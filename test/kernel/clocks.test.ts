import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RuleWatch } from '../../bench/control/rule-watch.ts';
import type { FaultStatus } from '../../src/core/model/fault-status.ts';
import { childrenOf, commandLine } from '../support/agent-process.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { TestNetwork, type TestNode } from '../support/netns.ts';
import { until } from '../support/until.ts';

const LAUNCHER = join(ROOT, 'faultline');
const HOUR_S = '3600';
const STANDS_MS = 3_000;

/** Whether a process is a daemon of ours, and not its guard. */
const isLauncher = (pid: number): boolean => commandLine(pid).includes('faultline.ts agent');

/** Real daemons: an agent on n1 with its clocks an hour ahead, one on n2, the coordinator on n3. */
class Daemons {
  readonly network = new TestNetwork('clocks', 3, 77);
  readonly directory = mkdtempSync(join(tmpdir(), 'faultline-clocks-'));
  readonly #children: ChildProcess[] = [];

  constructor() {
    writeFileSync(join(this.directory, 'token'), 'a-token-of-this-test-only\n', { mode: 0o600 });
    writeFileSync(join(this.directory, 'cluster.yaml'), JSON.stringify(this.#cluster()));
  }

  get home(): TestNode {
    return this.network.nodes[2] as TestNode;
  }

  get acting(): TestNode[] {
    return this.network.nodes.slice(0, 2);
  }

  #cluster(): unknown {
    const nodes = this.acting.map((node) => ({
      name: node.name,
      agent: `http://${node.address}:7711`,
      addresses: [node.address, node.address6],
      roles: ['client'],
    }));
    return { name: 'clocks', nodes };
  }

  /** Starts a daemon and waits for its ready line. */
  async #start(node: TestNode, wrapper: string[], args: string[]): Promise<void> {
    const flags = ['--token-file', join(this.directory, 'token'), '--insecure'];
    const child = this.network.spawn(node, [...wrapper, LAUNCHER, ...args, ...flags], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#children.push(child);
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(`${args[0]} on ${node.name}`, () => said.includes('ready'), { timeoutMs: 30_000 });
  }

  async start(): Promise<void> {
    const ahead = ['unshare', '--time', '--fork', '--kill-child'];
    ahead.push('--monotonic', HOUR_S, '--boottime', HOUR_S);
    for (const [index, node] of this.acting.entries()) {
      const state = join(this.directory, node.name);
      const args = ['agent', '--node', node.name, '--listen', `${node.address}:7711`];
      await this.#start(node, index === 0 ? ahead : [], [...args, '--state', state]);
    }
    const args = ['coordinator', '--listen', `${this.home.address}:7700`];
    args.push('--state', join(this.directory, 'coordinator'));
    await this.#start(this.home, [], [...args, '--cluster', join(this.directory, 'cluster.yaml')]);
  }

  /** Runs a command of ours in the coordinator's namespace. @returns what it printed, parsed. */
  command<T>(...args: string[]): Promise<T> {
    const where = ['--coordinator', `http://${this.home.address}:7700`, '--json'];
    const argv = [LAUNCHER, ...args, ...where, '--token-file', join(this.directory, 'token')];
    return new Promise((resolve, reject) => {
      const child = spawn('ip', ['netns', 'exec', this.home.namespace, ...argv]);
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.on('close', (code) => {
        if (code === 0) resolve(JSON.parse(text) as T);
        else reject(new Error(`${args.join(' ')}: ${text}`));
      });
    });
  }

  async close(): Promise<void> {
    for (const child of this.#children.toReversed()) {
      // unshare does not pass signals on: the agent itself is told, and unshare ends with it.
      const inner = childrenOf(child.pid ?? 0).find(isLauncher) ?? child.pid ?? 0;
      process.kill(inner, 'SIGTERM');
      await until('a daemon to end', () => child.exitCode !== null || child.signalCode !== null);
    }
    this.network.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

test(
  'clocks an hour apart: faults start together and last what they should',
  { skip: lacks('root', 'namespaces', 'nft'), timeout: 120_000 },
  async () => {
    const daemons = new Daemons();
    let watch: RuleWatch | undefined;
    try {
      await daemons.start();
      watch = new RuleWatch(daemons.acting);
      const { added, removed } = watch;
      await until('both links', async () => {
        const { nodes } = await daemons.command<{ nodes: { link: string }[] }>('nodes');
        return nodes.every((node) => node.link === 'linked');
      });
      const params = JSON.stringify({ groups: [['n1'], ['n2']] });
      const override = JSON.stringify({ limits: ['nodes', 'roleShare'], reason: 'all there is' });
      const request = ['--params', params, '--override', override, '--duration', `${STANDS_MS}ms`];
      const created = await daemons.command<FaultStatus>(
        'fault',
        'create',
        'network.partition',
        '--id',
        'apart',
        ...request,
      );
      assert.equal(created.state, 'active', JSON.stringify(created));
      const healed = await until('the deadline', async () => {
        const fault = await daemons.command<FaultStatus>('fault', 'show', 'apart');
        return fault.state === 'healed' ? fault : undefined;
      });
      assert.equal(healed.endedBy, 'deadline');
      assert.equal(healed.effect, 'seen');
      await until('the kernel to tell', () => RuleWatch.last(removed).length === 2);
      const [first = 0, second = 0] = RuleWatch.last(added);
      const [firstGone = 0, secondGone = 0] = RuleWatch.last(removed);
      // An hour would show; what a busy machine adds does not matter here.
      assert.ok(Math.abs(first - second) < 1_000, `began ${first - second} ms apart`);
      for (const stoodMs of [firstGone - first, secondGone - second])
        assert.ok(stoodMs > STANDS_MS - 500 && stoodMs < STANDS_MS * 3, `stood ${stoodMs} ms`);
    } finally {
      watch?.close();
      await daemons.close();
    }
  },
);
