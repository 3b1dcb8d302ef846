import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { TaskState } from '../../../src/core/trogdor/task.ts';
import { Agent } from '../../../src/host/agent/daemon.ts';
import { bootMs } from '../../../src/host/clock.ts';
import { startCoordinator, type ServedCoordinator } from '../../../src/host/coordinator/serve.ts';
import { Tokens } from '../../../src/host/http/tokens.ts';
import { openAgentDoor } from '../../../src/host/trogdor/open.ts';
import type { TrogdorServer } from '../../../src/host/trogdor/serve.ts';
import { FakeLinux } from '../fake-linux.ts';
import { until } from '../until.ts';
import { ask } from './converse.ts';

const TOKEN = 'a-token-for-the-tests-of-trogdors-loads';

interface Asked {
  status: number;
  body: Record<string, unknown>;
}

/** An agent and a coordinator of ours in this process, both with their doors open, for loads. */
export class LoadRig {
  readonly directory = mkdtempSync(join(tmpdir(), 'faultline-loads-'));
  readonly #externalCommands: readonly string[] | 'any';
  #agent: Agent | undefined;
  #door: TrogdorServer | undefined;
  #coordinator: ServedCoordinator | undefined;
  #port = 0;

  constructor(externalCommands: readonly string[] | 'any' = []) {
    this.#externalCommands = externalCommands;
  }

  get logger() {
    return pino({ level: 'silent' });
  }

  async start(): Promise<void> {
    await this.startAgent();
    const cluster = join(this.directory, 'cluster.yaml');
    const agent = `http://127.0.0.1:${this.#port}`;
    const nodes = [{ name: 'n1', agent, addresses: ['192.0.2.1'], roles: ['broker'] }];
    writeFileSync(cluster, JSON.stringify({ name: 'loads', nodes }));
    writeFileSync(join(this.directory, 'token'), `${TOKEN}\n`, { mode: 0o600 });
    await this.startCoordinator();
  }

  async startAgent(): Promise<void> {
    const configFile = join(this.directory, 'agent.json');
    writeFileSync(configFile, JSON.stringify({ externalCommands: this.#externalCommands }));
    const agent = await Agent.start({
      node: 'n1',
      stateDirectory: join(this.directory, 'agent'),
      configFile,
      makeLinux: () => new FakeLinux(bootMs),
      logger: this.logger,
      onBug: (error) => assert.fail(String(error)),
    });
    const server = await agent.listen({
      listen: { host: '127.0.0.1', port: this.#port },
      tokens: new Tokens().add(TOKEN, 'operate', 'test'),
      insecure: false,
    });
    this.#port = server.port;
    this.#agent = agent;
    this.#door = await openAgentDoor({
      at: '0',
      insecure: false,
      hostNames: [],
      trogdorNodes: [],
      logger: this.logger,
      shutdown: () => undefined,
      node: 'n1',
      agent,
    });
  }

  async startCoordinator(): Promise<void> {
    this.#coordinator = await startCoordinator(
      {
        listen: '127.0.0.1:0',
        state: join(this.directory, 'coordinator'),
        cluster: join(this.directory, 'cluster.yaml'),
        tokenFile: join(this.directory, 'token'),
        insecure: false,
        trogdor: '0',
      },
      { logger: this.logger, shutdown: () => undefined },
    );
  }

  async stopAgent(): Promise<void> {
    await this.#door?.close();
    await this.#agent?.stop();
    this.#agent = undefined;
  }

  async stopCoordinator(): Promise<void> {
    await this.#coordinator?.close();
    this.#coordinator = undefined;
  }

  async #ask(url: string, method: string, path: string, body?: unknown): Promise<Asked> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await ask(url, { name: path, method, path, ...text });
    return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown> };
  }

  /** Asks the coordinator's door. */
  call(method: string, path: string, body?: unknown): Promise<Asked> {
    return this.#ask(this.#coordinator?.trogdorUrl ?? '', method, `/coordinator/${path}`, body);
  }

  /** Asks the agent's door. */
  callAgent(method: string, path: string, body?: unknown): Promise<Asked> {
    return this.#ask(this.#door?.url ?? '', method, `/agent/${path}`, body);
  }

  async create(id: string, spec: unknown): Promise<void> {
    const answer = await this.call('POST', 'task/create', { id, spec });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }

  async task(id: string): Promise<TaskState> {
    return (await this.call('GET', `tasks/${id}`)).body as unknown as TaskState;
  }

  reaches(id: string, state: string, timeoutMs = 60_000): Promise<TaskState> {
    return until(
      `task ${id} to be ${state}`,
      async () => {
        const now = await this.task(id);
        if (now.state === 'DONE' && state !== 'DONE') assert.fail(JSON.stringify(now));
        return now.state === state && now;
      },
      { timeoutMs },
    );
  }

  async close(): Promise<void> {
    await this.stopCoordinator();
    await this.stopAgent();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
