import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { Agent } from '../../../src/host/agent/daemon.ts';
import { bootMs } from '../../../src/host/clock.ts';
import { startCoordinator, type ServedCoordinator } from '../../../src/host/coordinator/serve.ts';
import { Tokens } from '../../../src/host/http/tokens.ts';
import { openAgentDoor } from '../../../src/host/trogdor/open.ts';
import type { TrogdorServer } from '../../../src/host/trogdor/serve.ts';
import { FakeLinux } from '../fake-linux.ts';
import { until } from '../until.ts';
import { javaOf } from './jars.ts';
import { freePort, RealTrogdor } from './real.ts';

const PLATFORM = 'org.apache.kafka.trogdor.basic.BasicPlatform';
const TOKEN = 'a-token-for-the-tests-of-loads-by-java';
const exec = promisify(execFile);

interface Task {
  state: string;
  error?: string;
  status?: unknown;
}

/**
 * Loads by Trogdor's own programs: one agent of ours under its coordinator, and under ours; both told by
 * its client, which is a JVM each time.
 */
export class JavaLoads {
  readonly #directory = mkdtempSync(join(tmpdir(), 'faultline-java-loads-'));
  readonly #real = new RealTrogdor();
  readonly #logger = pino({ level: 'silent' });
  #agent: Agent | undefined;
  #door: TrogdorServer | undefined;
  #ours: ServedCoordinator | undefined;
  #theirs = '';

  async start(): Promise<void> {
    const config = join(this.#directory, 'trogdor.conf');
    const tokenFile = join(this.#directory, 'token');
    const [agentPort, coordinatorPort] = [await freePort(), await freePort()];
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    const agent = await Agent.start({
      node: 'n1',
      stateDirectory: join(this.#directory, 'n1'),
      makeLinux: () => new FakeLinux(bootMs),
      logger: this.#logger,
      onBug: (error) => assert.fail(String(error)),
    });
    this.#agent = agent;
    const { port } = await agent.listen({
      listen: { host: '127.0.0.1', port: 0 },
      tokens: new Tokens().add(TOKEN, 'operate', 'test'),
      insecure: false,
    });
    const quiet = { hostNames: [], trogdorNodes: [], logger: this.#logger };
    this.#door = await openAgentDoor({
      ...quiet,
      at: String(agentPort),
      insecure: false,
      shutdown: () => undefined,
      node: 'n1',
      agent,
    });
    const n1 = {
      hostname: '127.0.0.1',
      'trogdor.agent.port': agentPort,
      'trogdor.coordinator.port': coordinatorPort,
      'faultline.agent.port': port,
    };
    writeFileSync(config, JSON.stringify({ platform: PLATFORM, nodes: { n1 } }));
    this.#real.launch('coordinator', 'n1', config);
    this.#theirs = `http://127.0.0.1:${coordinatorPort}`;
    this.#ours = await startCoordinator(
      {
        listen: '127.0.0.1:0',
        state: join(this.#directory, 'coordinator'),
        tokenFile,
        insecure: false,
        trogdor: '0',
        trogdorConfig: config,
      },
      { logger: this.#logger, shutdown: () => undefined },
    );
    // Not up yet: asked again until the deadline.
    const answers = (): Promise<boolean> =>
      fetch(`${this.#theirs}/coordinator/status`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until('the coordinator of the jar', answers, { timeoutMs: 60_000, everyMs: 200 });
  }

  /** Has a load run to its end, which must be a good one. @returns its status */
  async finished(under: 'theirs' | 'ours', id: string, spec: object): Promise<unknown> {
    const url = under === 'ours' ? (this.#ours?.trogdorUrl ?? '') : this.#theirs;
    const flags = ['-t', new URL(url).host, '-i', id, '-s', JSON.stringify(spec)];
    const main = 'org.apache.kafka.trogdor.coordinator.CoordinatorClient';
    const [java = '', ...argv] = javaOf(main, 'createTask', ...flags);
    const { stdout } = await exec(java, argv);
    assert.match(stdout, new RegExp(`Sent CreateTaskRequest for task ${id}`));
    const done = await until(
      `task ${id}`,
      async () => {
        const answer = await fetch(`${url}/coordinator/tasks/${id}`);
        const task = (await answer.json()) as Task;
        return task.state === 'DONE' && task;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    assert.equal(done.error ?? '', '');
    return done.status;
  }

  async close(): Promise<void> {
    this.#real.close();
    await this.#ours?.close();
    await this.#door?.close();
    await this.#agent?.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
