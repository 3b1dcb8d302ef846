/**
 * One lane of the storm, inside the coordinator's network namespace: plays the rounds it reads from its
 * standard input, one number a line, and prints what came of each as a line of JSON.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeStatus } from '../../src/core/model/fault-status.ts';
import { reasonOf } from '../../src/core/base/failure.ts';
import { HttpClient } from '../../src/host/http-client.ts';
import { ROOT } from '../../test/support/needs.ts';
import type { TestNode } from '../../test/support/netns.ts';
import { until } from '../../test/support/until.ts';
import { planRound, VICTIM_SECONDS, type Blow, type RoundPlan } from './plan.ts';
import type { Healing, LaneSetting, RoundResult } from './result.ts';
import { AGENT_PORT, signalPid, StormNode } from './storm-node.ts';

const COORDINATOR_PORT = 7700;
/** The promise: lease and two seconds. */
const SLACK_MS = 2_000;
const KERNEL_TIMEOUT_MS = 30_000;
/** How long a violation is watched, to say how late it was. */
const WATCHED_MS = 20_000;
/** A node is at its baseline when it is seen to be: a longer pause makes figures worse, never better. */
const POLL_MS = 100;

class Lane {
  readonly #setting: LaneSetting;
  readonly #nodes: StormNode[];
  readonly #client: HttpClient;
  #coordinator: ChildProcess | undefined;
  #killedAt = 0;
  /** The last round left something: the next one begins on machines that are new. */
  #wasBroken = false;

  constructor(setting: LaneSetting) {
    this.#setting = setting;
    const { directory, nodes } = setting;
    mkdirSync(directory, { recursive: true });
    const token = 'storm-token-storm-token';
    writeFileSync(this.#path('token'), `${token}\n`, { mode: 0o600 });
    const match = { argumentParts: [VICTIM_SECONDS] };
    const start = { argv: ['/bin/sleep', VICTIM_SECONDS] };
    writeFileSync(
      this.#path('agent.yaml'),
      JSON.stringify({ services: { victim: { match, start } } }),
    );
    const acting = nodes.slice(0, -1);
    const cluster = acting.map((node) => ({
      name: node.name,
      agent: `http://${node.address}:${AGENT_PORT}`,
      addresses: [node.address, node.address6],
      roles: ['broker'],
      // Nobody listens there: a proxy of Kafka's protocol must have a port to stand in front of.
      listeners: [{ name: 'PLAINTEXT', port: 9092 }],
    }));
    writeFileSync(this.#path('cluster.yaml'), JSON.stringify({ name: 'storm', nodes: cluster }));
    const flags = ['--token-file', this.#path('token'), '--config', this.#path('agent.yaml')];
    this.#nodes = acting.map((node) => new StormNode(node, directory, flags));
    this.#client = new HttpClient({
      url: `http://${this.#home.address}:${COORDINATOR_PORT}`,
      token,
    });
  }

  get #home(): TestNode {
    return this.#setting.nodes.at(-1) as TestNode;
  }

  #path(name: string): string {
    return join(this.#setting.directory, name);
  }

  async boot(): Promise<void> {
    for (const node of this.#nodes) node.close();
    for (const node of this.#nodes) await node.boot();
  }

  #startCoordinator(): void {
    if (this.#coordinatorLives()) return;
    const log = openSync(this.#path('coordinator.log'), 'a');
    const listen = `${this.#home.address}:${COORDINATOR_PORT}`;
    const state = this.#path('coordinator');
    const cluster = this.#path('cluster.yaml');
    const flags = ['--listen', listen, '--state', state, '--cluster', cluster, '--insecure'];
    const argv = ['coordinator', ...flags, '--token-file', this.#path('token')];
    this.#coordinator = spawn(join(ROOT, 'faultline'), argv, { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  #coordinatorLives(): boolean {
    const child = this.#coordinator;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Everything runs, nobody is stopped, every node is at its baseline. */
  async #ready(): Promise<void> {
    for (const node of this.#nodes) {
      const stopped = node.guards().some(({ state }) => state === 'T');
      if (node.agent()?.state === 'T' || stopped) node.killAll();
      node.buryLaunchers();
      if (!node.agent()) node.startAgent();
    }
    await this.#endCoordinator();
    this.#startCoordinator();
    await until(
      'all links',
      async () => {
        for (const node of this.#nodes) if (!node.agent()) node.startAgent();
        const { nodes } = await this.#client
          .get<{ nodes: NodeStatus[] }>('/v1/nodes')
          .catch(() => ({ nodes: [] }));
        const up = nodes.filter(({ link, capabilities }) => link === 'linked' && capabilities[0]);
        return up.length === this.#nodes.length;
      },
      { timeoutMs: 30_000, everyMs: 100 },
    );
    await until('the baseline', async () => {
      const all = await Promise.all(this.#nodes.map((node) => node.differences()));
      return all.flat().length === 0 && this.#nodes.every((node) => node.guards().length === 1);
    });
  }

  async #endCoordinator(): Promise<void> {
    if (!this.#coordinatorLives()) return;
    this.#coordinator?.kill('SIGKILL');
    await until('the coordinator to end', () => !this.#coordinatorLives());
  }

  #strike(blow: Blow): void {
    if (blow.whom === 'coordinator') {
      if (blow.what === 'start') this.#startCoordinator();
      else if (this.#coordinatorLives()) signalPid(this.#coordinator?.pid ?? 0, blow.what);
      return;
    }
    const node = this.#nodes.find(({ name }) => name === blow.node) as StormNode;
    if (blow.what === 'start') {
      node.buryLaunchers();
      if (!node.agent()) node.startAgent();
    } else if (blow.whom === 'both') node.killAll();
    else if (blow.whom === 'agent') node.signal(node.agent(), blow.what);
    else for (const guard of node.guards()) node.signal(guard, blow.what);
  }

  /** The faults are asked for, the blows fall, and at the end nobody renews a lease any more. */
  async #storm(plan: RoundPlan): Promise<number> {
    const begun = performance.now();
    const asked = plan.faults.map((body) =>
      this.#client
        .call<{ state: string }>('POST', '/v1/faults', { body, query: { wait: '2s' } })
        .then(
          ({ body: fault }) => fault.state === 'active',
          // A coordinator that is killed answers nobody: that is the storm.
          () => false,
        ),
    );
    if (plan.isExpiry) await Promise.all(asked);
    for (const blow of plan.blows) {
      const leftMs = blow.atMs - (performance.now() - begun);
      if (leftMs > 0) await sleep(leftMs);
      this.#strike(blow);
    }
    await this.#endCoordinator();
    this.#killedAt = performance.now();
    const reached = await Promise.all(asked);
    return reached.filter(Boolean).length;
  }

  async #settle(node: StormNode, plan: RoundPlan): Promise<Healing> {
    const agentWas = node.agent();
    let restartedAt: number | undefined;
    let from = this.#killedAt;
    let by: Healing['by'] = 'guard';
    if (agentWas && agentWas.state !== 'T') by = 'agent';
    for (;;) {
      // Somebody who may have been about to die (a guard that took over ends) is looked for anew.
      const differences = await node.differences();
      const now = performance.now();
      const limitMs = restartedAt === undefined ? plan.leaseMs + SLACK_MS : WATCHED_MS;
      if (differences.length === 0) {
        const isLate = now - from > limitMs;
        return { node: node.name, by, healedMs: now - from, limitMs, isLate, differences };
      }
      if (restartedAt === undefined && !node.hasHealer()) {
        by = 'restart';
        node.killAll();
        node.buryLaunchers();
        node.startAgent();
        from = restartedAt = performance.now();
      }
      if (now - from > limitMs + WATCHED_MS) {
        const all = await node.differences(false);
        return {
          node: node.name,
          by,
          healedMs: now - from,
          limitMs,
          isLate: true,
          differences: all,
        };
      }
      await sleep(POLL_MS);
    }
  }

  /** Both dead: when packets go through again by themselves, and that nothing is dropped from then on. */
  async #expire(): Promise<number> {
    const [first, second] = this.#nodes as [StormNode, StormNode];
    const { address } = this.#setting.nodes[1] as TestNode;
    const knock = `exec 3<>/dev/tcp/${address}/9`;
    const passes = async (): Promise<boolean> => {
      // A closed port refuses at once (1); a silent network lets timeout end it (124).
      const argv = ['bash', '-c', `timeout 0.4 bash -c '${knock}' 2>/dev/null; echo $?`];
      return (await first.run(argv)).trim() === '1';
    };
    const alive = [first, second].some((node) => node.hasHealer());
    if (alive) throw new Error('somebody was left alive in a round where nobody should be');
    const timeoutMs = KERNEL_TIMEOUT_MS + WATCHED_MS;
    await until('the kernel to let go', passes, { timeoutMs, everyMs: 100 });
    return performance.now() - this.#killedAt;
  }

  async play(round: number, isExpiry: boolean): Promise<RoundResult> {
    const plan = planRound(this.#setting.seed, round, isExpiry, this.#setting.draw);
    const result: RoundResult = { round, isExpiry, inForce: 0, healings: [], violations: [] };
    try {
      if (this.#wasBroken) await this.boot();
      this.#wasBroken = false;
      await this.#ready();
      result.inForce = await this.#storm(plan);
      if (isExpiry) {
        result.expiredMs = await this.#expire();
        if (result.expiredMs > KERNEL_TIMEOUT_MS)
          result.violations.push(`packets dropped until ${result.expiredMs} ms after both died`);
      }
      result.healings = await Promise.all(this.#nodes.map((node) => this.#settle(node, plan)));
      for (const { node, by, healedMs, limitMs, isLate, differences } of result.healings) {
        if (!isLate) continue;
        const left = differences.length > 0 ? `, left: ${differences.join('; ')}` : '';
        result.violations.push(
          `${node}, healed by ${by}: baseline after ${Math.round(healedMs)} ms, allowed ${limitMs}${left}`,
        );
      }
    } catch (error) {
      result.violations.push(`the round broke off: ${reasonOf(error)}`);
    }
    this.#wasBroken = result.violations.length > 0;
    if (this.#wasBroken)
      result.evidence = this.#nodes.map((node) => `${node.name}\n${node.describe()}`).join('\n');
    return result;
  }

  close(): void {
    this.#coordinator?.kill('SIGKILL');
    for (const node of this.#nodes) node.close();
  }
}

const lane = new Lane(JSON.parse(process.argv[2] ?? '') as LaneSetting);
const end = (): never => {
  lane.close();
  process.exit(1);
};
process.on('SIGTERM', end);
process.on('SIGINT', end);
try {
  await lane.boot();
  for await (const line of createInterface({ input: process.stdin })) {
    const [round = '', kind] = line.split(' ');
    console.log(JSON.stringify(await lane.play(Number(round), kind === 'expiry')));
  }
} finally {
  lane.close();
}
process.exit(0);
