import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { until } from '../../test/support/until.ts';
import type { TestNode } from '../../test/support/netns.ts';
import type { Rival, Round } from './round.ts';
import { RuleWatch } from './rule-watch.ts';

const AGENT_PORT = 8888;
const COORDINATOR_PORT = 8889;

interface TaskState {
  state: string;
  status?: string | Record<string, string>;
}

/** Where the jars are, and where a run may write. */
export interface TrogdorPlace {
  jarDirectory: string;
  directory: string;
}

interface ConfiguredNode {
  name: string;
  hostname: string;
  agentPort: number;
  coordinator?: boolean;
}

function writeConfig(place: TrogdorPlace, nodes: readonly ConfiguredNode[]): string {
  const entries = nodes.map((node) => [
    node.name,
    {
      hostname: node.hostname,
      'trogdor.agent.port': node.agentPort,
      ...(node.coordinator ? { 'trogdor.coordinator.port': COORDINATOR_PORT } : {}),
    },
  ]);
  const path = join(place.directory, 'trogdor.conf');
  const platform = 'org.apache.kafka.trogdor.basic.BasicPlatform';
  writeFileSync(path, JSON.stringify({ platform, nodes: Object.fromEntries(entries) }));
  return path;
}

function startJava(
  place: TrogdorPlace,
  role: 'agent' | 'coordinator',
  name: string,
  config: string,
  namespace?: string,
): ChildProcess {
  const main = role === 'agent' ? 'agent.Agent' : 'coordinator.Coordinator';
  const java = ['java', '-Xmx128m', '-cp', join(place.jarDirectory, '*')];
  const argv = [
    ...java,
    `org.apache.kafka.trogdor.${main}`,
    `--${role}.config`,
    config,
    '--node-name',
    name,
  ];
  const log = openSync(join(place.directory, `${name}.log`), 'w');
  const [command, ...rest] = namespace ? ['ip', 'netns', 'exec', namespace, ...argv] : argv;
  // Trogdor calls sudo, which a root shell in a namespace does not need and may not have.
  const env = { ...process.env, PATH: `${join(place.directory, 'bin')}:${process.env['PATH']}` };
  const child = spawn(command ?? '', rest, { env, stdio: ['ignore', log, log] });
  closeSync(log);
  return child;
}

async function request(method: string, url: string, body?: unknown): Promise<unknown> {
  const init: RequestInit = { method, signal: AbortSignal.timeout(5_000) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json' };
  }
  const response = await fetch(url, init);
  if (!response.ok)
    throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function answers(url: string): Promise<boolean> {
  return request('GET', url).then(
    () => true,
    // Not up yet: the caller asks again until its deadline.
    () => false,
  );
}

function confirmed(task: TaskState, nodes: number): boolean {
  if (typeof task.status !== 'object') return false;
  const words = Object.values(task.status);
  return words.length === nodes && words.every((word) => word.startsWith('created'));
}

/** The real org.apache.kafka:trogdor coordinator, with real agents or with stubs of its protocol. */
class Trogdor implements Rival {
  readonly name: string;
  readonly #url: string;
  readonly #nodes: string[];
  readonly #children: ChildProcess[];
  readonly #stubs: TrogdorStubs | undefined;
  readonly #watch: RuleWatch | undefined;

  constructor(
    name: string,
    url: string,
    nodes: string[],
    children: ChildProcess[],
    extra: { stubs?: TrogdorStubs; watch?: RuleWatch },
  ) {
    this.name = name;
    this.#url = url;
    this.#nodes = nodes;
    this.#children = children;
    this.#stubs = extra.stubs;
    this.#watch = extra.watch;
  }

  async #task(id: string): Promise<TaskState> {
    return (await request('GET', `${this.#url}/coordinator/tasks/${id}`)) as TaskState;
  }

  async round(index: number): Promise<Round> {
    const id = `bench-${index}`;
    const [first = '', ...others] = this.#nodes;
    const spec = {
      class: 'org.apache.kafka.trogdor.fault.NetworkPartitionFaultSpec',
      startMs: 0,
      durationMs: 60_000,
      partitions: [[first], others],
    };
    this.#watch?.forget();
    this.#stubs?.forget();
    const created = performance.now();
    await request('POST', `${this.#url}/coordinator/task/create`, { id, spec });
    await until(
      `task ${id} confirmed`,
      async () => confirmed(await this.#task(id), this.#nodes.length),
      {
        everyMs: 5,
      },
    );
    const knownMs = performance.now() - created;
    const instants = this.#watch ? RuleWatch.last(this.#watch.added) : (this.#stubs?.orders ?? []);
    const healing = performance.now();
    await request('PUT', `${this.#url}/coordinator/task/stop`, { id });
    await until(`task ${id} done`, async () => (await this.#task(id)).state === 'DONE', {
      everyMs: 5,
    });
    const round: Round = { knownMs, healKnownMs: performance.now() - healing };
    if (instants.length > 0) round.skewMs = Math.max(...instants) - Math.min(...instants);
    if (this.#watch) {
      round.lastRuleMs = Math.max(...instants) - created;
      round.lastRemovedMs = Math.max(...RuleWatch.last(this.#watch.removed)) - healing;
    }
    return round;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    this.#watch?.close();
    await this.#stubs?.close();
  }
}

function prepare(place: TrogdorPlace): void {
  mkdirSync(join(place.directory, 'bin'), { recursive: true });
  writeFileSync(join(place.directory, 'bin', 'sudo'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
}

/** Real agents in the namespaces, the coordinator in the last one, where this process runs too. */
export async function realTrogdor(place: TrogdorPlace, nodes: readonly TestNode[]): Promise<Rival> {
  prepare(place);
  const home = nodes.at(-1);
  if (!home) throw new Error('no nodes');
  const acting = nodes.slice(0, -1);
  const config = writeConfig(place, [
    ...acting.map((node) => ({ name: node.name, hostname: node.address, agentPort: AGENT_PORT })),
    { name: home.name, hostname: home.address, agentPort: 0, coordinator: true },
  ]);
  const children = acting.map((node) =>
    startJava(place, 'agent', node.name, config, node.namespace),
  );
  children.push(startJava(place, 'coordinator', home.name, config));
  const url = `http://${home.address}:${COORDINATOR_PORT}`;
  const urls = acting.map((node) => `http://${node.address}:${AGENT_PORT}/agent/status`);
  for (const ready of [...urls, `${url}/coordinator/status`]) {
    await until(`Trogdor at ${ready}`, () => answers(ready), { timeoutMs: 60_000, everyMs: 100 });
  }
  const names = acting.map((node) => node.name);
  return new Trogdor('Trogdor, real agents', url, names, children, {
    watch: new RuleWatch(acting),
  });
}

/** Agents that only speak Trogdor's protocol: what the coordinator alone costs. */
class TrogdorStubs {
  readonly #servers: Server[] = [];
  readonly ports: number[] = [];
  /** When each stub was told to start, ms. */
  orders: number[] = [];

  async open(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const server = this.#stub();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.#servers.push(server);
      this.ports.push((server.address() as { port: number }).port);
    }
  }

  #stub(): Server {
    const workers = new Map<string, { create: string; running: boolean }>();
    return createServer((incoming, outgoing) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => {
        // Worker ids are 63-bit JSON numbers: kept as text, never parsed into a double.
        const id = /"workerId"\s*:\s*(\d+)/.exec(body)?.[1] ?? '';
        if (incoming.url === '/agent/worker/create') {
          this.orders.push(performance.now());
          workers.set(id, { create: body, running: true });
        } else if (incoming.url === '/agent/worker/stop') {
          const worker = workers.get(id);
          if (worker) worker.running = false;
        }
        outgoing.setHeader('content-type', 'application/json');
        outgoing.end(incoming.url === '/agent/status' ? status(workers) : '{}');
      });
    });
  }

  forget(): void {
    this.orders = [];
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(
      this.#servers.map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }
}

function status(workers: ReadonlyMap<string, { create: string; running: boolean }>): string {
  const members = [...workers].map(([id, worker]) => {
    const asked = JSON.parse(worker.create) as { taskId: string; spec: unknown };
    const end = worker.running ? '' : ',"doneMs":1';
    const state = worker.running ? 'RUNNING' : 'DONE';
    const text = worker.running ? 'created' : 'removed';
    return `"${id}":{"state":"${state}","taskId":${JSON.stringify(asked.taskId)},"spec":${JSON.stringify(
      asked.spec,
    )},"startedMs":1${end},"status":"${text}"}`;
  });
  return `{"serverStartMs":1,"workers":{${members.join(',')}}}`;
}

/** The real coordinator with `count` stubs on loopback. */
export async function stubbedTrogdor(place: TrogdorPlace, count: number): Promise<Rival> {
  prepare(place);
  const stubs = new TrogdorStubs();
  await stubs.open(count);
  const config = writeConfig(place, [
    ...stubs.ports.map((port, index) => ({
      name: `stub${index}`,
      hostname: '127.0.0.1',
      agentPort: port,
    })),
    { name: 'coordinator', hostname: '127.0.0.1', agentPort: 0, coordinator: true },
  ]);
  const child = startJava(place, 'coordinator', 'coordinator', config);
  const url = `http://127.0.0.1:${COORDINATOR_PORT}`;
  await until('Trogdor coordinator', () => answers(`${url}/coordinator/status`), {
    timeoutMs: 60_000,
    everyMs: 100,
  });
  const names = stubs.ports.map((_, index) => `stub${index}`);
  return new Trogdor(`Trogdor, ${count} stubs`, url, names, [child], { stubs });
}
