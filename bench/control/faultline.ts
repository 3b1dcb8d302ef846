import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { FaultRequest } from '../../src/core/model/fault-request.ts';
import type { FaultStatus, NodeStatus } from '../../src/core/model/fault-status.ts';
import { HttpClient } from '../../src/host/http-client.ts';
import { ROOT } from '../../test/support/needs.ts';
import type { TestNode } from '../../test/support/netns.ts';
import { StubAgent, STUB_TOKEN } from '../../test/support/stub-agent.ts';
import { until } from '../../test/support/until.ts';
import type { Rival, Round } from './round.ts';
import { RuleWatch } from './rule-watch.ts';

const AGENT_PORT = 7711;
const COORDINATOR_PORT = 7700;

interface ClusterNode {
  name: string;
  agent: string;
  addresses: string[];
  roles: ['broker'];
}

/** Ends a daemon, by its pid, and waits until it has: SIGTERM lets an agent heal and end its guard. */
async function stop(child: ChildProcess): Promise<void> {
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  child.kill('SIGTERM');
  try {
    await until('a daemon to end', ended, { timeoutMs: 10_000 });
  } catch {
    // It was asked nicely, and long enough.
    child.kill('SIGKILL');
  }
}

function startDaemon(
  directory: string,
  name: string,
  args: readonly string[],
  namespace?: string,
): ChildProcess {
  const log = openSync(join(directory, `${name}.log`), 'w');
  const argv = [join(ROOT, 'faultline'), ...args];
  const [command = '', ...rest] = namespace ? ['ip', 'netns', 'exec', namespace, ...argv] : argv;
  const child = spawn(command, rest, { stdio: ['ignore', log, log] });
  closeSync(log);
  return child;
}

function startCoordinator(directory: string, nodes: ClusterNode[], host: string): ChildProcess {
  const cluster = join(directory, 'cluster.yaml');
  writeFileSync(cluster, JSON.stringify({ name: 'bench', nodes }));
  const listen = `${host}:${COORDINATOR_PORT}`;
  const state = join(directory, 'coordinator');
  const args = ['coordinator', '--listen', listen, '--state', state, '--cluster', cluster];
  return startDaemon(directory, 'coordinator', [...args, ...daemonFlags(directory)]);
}

const daemonFlags = (directory: string): string[] => [
  '--token-file',
  join(directory, 'token'),
  '--insecure',
];

function makeToken(directory: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'token'), `${STUB_TOKEN}\n`, { mode: 0o600 });
}

async function linked(client: HttpClient, count: number): Promise<NodeStatus[]> {
  return until(
    `${count} links`,
    async () => {
      try {
        const { nodes } = await client.get<{ nodes: NodeStatus[] }>('/v1/nodes');
        const up = nodes.filter((node) => node.link === 'linked' && node.capabilities.length > 0);
        return up.length === count ? nodes : undefined;
      } catch {
        // Not listening yet: asked again until the deadline.
        return undefined;
      }
    },
    { timeoutMs: 60_000, everyMs: 50 },
  );
}

function spread(instants: readonly number[]): number {
  return Math.max(...instants) - Math.min(...instants);
}

interface Parts {
  client: HttpClient;
  nodes: string[];
  children: ChildProcess[];
  stubs: StubAgent[];
  watch?: RuleWatch;
}

/** Our own coordinator, with real agents or with stubs of its link. */
class Faultline implements Rival {
  readonly name: string;
  readonly #parts: Parts;

  constructor(name: string, parts: Parts) {
    this.name = name;
    this.#parts = parts;
  }

  async clockErrors(): Promise<number[]> {
    const { client, stubs } = this.#parts;
    const { nodes } = await client.get<{ nodes: NodeStatus[] }>('/v1/nodes');
    return stubs.flatMap(({ options }) => {
      const estimate = nodes.find(({ name }) => name === options.node)?.clock?.offsetMs;
      return Math.abs((estimate ?? Number.NaN) - (options.clockOffsetMs ?? 0));
    });
  }

  #request(index: number): FaultRequest {
    const [first = '', ...others] = this.#parts.nodes;
    return {
      id: `bench-${index}`,
      kind: 'network.partition',
      params: { groups: [[first], others] },
      duration: '60s',
      override: { limits: ['nodes', 'roleShare'], reason: 'the bench cuts all it has' },
    };
  }

  async round(index: number): Promise<Round> {
    const { client, watch, stubs } = this.#parts;
    const body = this.#request(index);
    watch?.forget();
    const created = performance.now();
    const query = { wait: '10s' };
    const path = `/v1/faults/${body.id}`;
    const answer = await client.call<FaultStatus>('POST', '/v1/faults', { body, query });
    const knownMs = performance.now() - created;
    if (answer.body.state !== 'active')
      throw new Error(`${body.id} is ${answer.body.state}: ${JSON.stringify(answer.body)}`);
    const instants = watch
      ? await this.#ruleInstants(watch.added)
      : stubs.map((stub) => stub.firedAtMs.get(body.id) ?? Number.NaN);
    const healing = performance.now();
    const healed = await client.call<FaultStatus>('DELETE', path, { query });
    const healKnownMs = performance.now() - healing;
    if (healed.body.state !== 'healed') throw new Error(`${body.id} is ${healed.body.state}`);
    const round: Round = { knownMs, healKnownMs, skewMs: spread(instants) };
    if (answer.body.skewMs !== undefined) round.reportedSkewMs = answer.body.skewMs;
    if (watch) {
      round.lastRuleMs = Math.max(...instants) - created;
      round.lastRemovedMs = Math.max(...(await this.#ruleInstants(watch.removed))) - healing;
    }
    return round;
  }

  /** The kernel's events reach us through another process, which may be a moment behind. */
  #ruleInstants(instants: ReadonlyMap<string, number[]>): Promise<number[]> {
    return until(
      'the kernel to tell of the rules',
      () => {
        const last = RuleWatch.last(instants);
        return last.length === this.#parts.nodes.length ? last : undefined;
      },
      { everyMs: 1 },
    );
  }

  async close(): Promise<void> {
    // The coordinator first: nobody tells of agents that are lost.
    for (const child of this.#parts.children.toReversed()) await stop(child);
    this.#parts.watch?.close();
    for (const stub of this.#parts.stubs) await stub.close();
  }
}

/** Real agents in the namespaces, the coordinator in the last one, where this process runs too. */
export async function realFaultline(
  directory: string,
  nodes: readonly TestNode[],
): Promise<Faultline> {
  makeToken(directory);
  const home = nodes.at(-1);
  if (!home) throw new Error('no nodes');
  const acting = nodes.slice(0, -1);
  const children = acting.map((node) => {
    const listen = `${node.address}:${AGENT_PORT}`;
    const state = join(directory, node.name);
    const args = ['agent', '--node', node.name, '--listen', listen, '--state', state];
    return startDaemon(
      directory,
      `agent-${node.name}`,
      [...args, ...daemonFlags(directory)],
      node.namespace,
    );
  });
  const cluster = acting.map((node): ClusterNode => ({
    name: node.name,
    agent: `http://${node.address}:${AGENT_PORT}`,
    addresses: [node.address, node.address6],
    roles: ['broker'],
  }));
  children.push(startCoordinator(directory, cluster, home.address));
  const url = `http://${home.address}:${COORDINATOR_PORT}`;
  const client = new HttpClient({ url, token: readToken(directory) });
  await linked(client, acting.length);
  const names = acting.map((node) => node.name);
  const watch = new RuleWatch(acting);
  return new Faultline('Faultline, real agents', {
    client,
    nodes: names,
    children,
    stubs: [],
    watch,
  });
}

const readToken = (directory: string): string =>
  readFileSync(join(directory, 'token'), 'utf8').trim();

/** The real coordinator with `count` stubs on loopback, whose clocks are hours apart. */
export async function stubbedFaultline(directory: string, count: number): Promise<Faultline> {
  makeToken(directory);
  const stubs: StubAgent[] = [];
  const nodes: ClusterNode[] = [];
  for (let index = 0; index < count; index++) {
    const name = `stub${index}`;
    const stub = new StubAgent({ node: name, clockOffsetMs: (index - count / 2) * 100_003.7 });
    await stub.start();
    stubs.push(stub);
    const address = `192.0.2.${index + 1}`;
    nodes.push({ name, agent: stub.url, addresses: [address], roles: ['broker'] });
  }
  const children = [startCoordinator(directory, nodes, '127.0.0.1')];
  const url = `http://127.0.0.1:${COORDINATOR_PORT}`;
  const client = new HttpClient({ url, token: readToken(directory) });
  await linked(client, count);
  const names = nodes.map((node) => node.name);
  return new Faultline(`Faultline, ${count} stubs`, {
    client,
    nodes: names,
    children,
    stubs,
  });
}
