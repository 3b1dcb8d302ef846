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
import { RealTrogdor } from './real.ts';

const TOKEN = 'a-token-for-the-tests-of-agents-of-both-kinds';

/** The machine may be busy, and all but the JVM is in this process. */
const PATIENT = { armTimeoutMs: 20_000, lateMaxMs: 20_000 };

interface Asked {
  status: number;
  body: Record<string, unknown>;
}

/**
 * A coordinator of ours with two nodes: n1 has an agent of ours, t1 one that is known by Trogdor's
 * protocol only: the real one, or one of ours behind its door.
 */
export class MixedRig {
  readonly #directory = mkdtempSync(join(tmpdir(), 'faultline-mixed-'));
  readonly #agents: Agent[] = [];
  readonly #real: RealTrogdor | undefined;
  readonly #logger = pino({ level: 'silent' });
  #door: TrogdorServer | undefined;
  #coordinator: ServedCoordinator | undefined;
  #theirs = '';

  constructor(isReal: boolean) {
    if (isReal) this.#real = new RealTrogdor();
  }

  async start(): Promise<void> {
    const [, ownPort] = await this.#agent('n1');
    this.#theirs = this.#real ? await this.#real.startLoneAgent() : await this.#behindItsDoor();
    const hostname = '127.0.0.1';
    const t1 = { hostname, 'trogdor.agent.port': Number(new URL(this.#theirs).port) };
    const nodes = {
      n1: { hostname, 'faultline.agent.port': ownPort },
      t1: { ...t1, 'faultline.agent.port': 0 },
    };
    writeFileSync(join(this.#directory, 'trogdor.conf'), JSON.stringify({ nodes }));
    writeFileSync(join(this.#directory, 'token'), `${TOKEN}\n`, { mode: 0o600 });
    await this.startCoordinator();
  }

  async #agent(node: string): Promise<[Agent, number]> {
    const agent = await Agent.start({
      node,
      stateDirectory: join(this.#directory, node),
      makeLinux: () => new FakeLinux(bootMs),
      logger: this.#logger,
      onBug: (error) => assert.fail(String(error)),
    });
    this.#agents.push(agent);
    const { port } = await agent.listen({
      listen: { host: '127.0.0.1', port: 0 },
      tokens: new Tokens().add(TOKEN, 'operate', 'test'),
      insecure: false,
    });
    return [agent, port];
  }

  async #behindItsDoor(): Promise<string> {
    const [agent] = await this.#agent('t1');
    this.#door = await openAgentDoor({
      at: '0',
      insecure: false,
      hostNames: [],
      trogdorNodes: [],
      logger: this.#logger,
      shutdown: () => undefined,
      node: 't1',
      agent,
    });
    return this.#door.url;
  }

  async startCoordinator(): Promise<void> {
    this.#coordinator = await startCoordinator(
      {
        listen: '127.0.0.1:0',
        state: join(this.#directory, 'coordinator'),
        tokenFile: join(this.#directory, 'token'),
        insecure: false,
        trogdor: '0',
        trogdorConfig: join(this.#directory, 'trogdor.conf'),
      },
      { logger: this.#logger, shutdown: () => undefined, settings: PATIENT },
    );
  }

  async stopCoordinator(): Promise<void> {
    await this.#coordinator?.close();
    this.#coordinator = undefined;
  }

  /** Asks the coordinator's door. */
  async call(method: string, path: string, body?: unknown): Promise<Asked> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const asked = { name: path, method, path: `/coordinator/${path}`, ...text };
    const answer = await ask(this.#coordinator?.trogdorUrl ?? '', asked);
    return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown> };
  }

  async create(id: string, spec: object): Promise<void> {
    const answer = await this.call('POST', 'task/create', { id, spec });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }

  stop(id: string): Promise<Asked> {
    return this.call('PUT', 'task/stop', { id });
  }

  reaches(id: string, state: string): Promise<TaskState> {
    return until(
      `task ${id} to be ${state}`,
      async () => {
        const now = (await this.call('GET', `tasks/${id}`)).body as unknown as TaskState;
        if (now.state === 'DONE' && state !== 'DONE') assert.fail(JSON.stringify(now));
        return now.state === state && now;
      },
      { timeoutMs: 30_000 },
    );
  }

  /** The workers of t1's agent, by id. */
  async workers(): Promise<Record<string, { taskId: string; state: string }>> {
    const answer = await ask(this.#theirs, {
      name: 'status',
      method: 'GET',
      path: '/agent/status',
    });
    const { workers = {} } = JSON.parse(answer.text) as {
      workers?: Record<string, { taskId: string; state: string }>;
    };
    return workers;
  }

  /** Takes a worker away from t1's agent behind the coordinator's back. */
  async forget(workerId: string): Promise<void> {
    const path = `/agent/worker?workerId=${workerId}`;
    const answer = await ask(this.#theirs, { name: 'destroy', method: 'DELETE', path });
    assert.equal(answer.status, 200, answer.text);
  }

  async close(): Promise<void> {
    await this.stopCoordinator();
    await this.#door?.close();
    for (const agent of this.#agents) await agent.stop();
    this.#real?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
