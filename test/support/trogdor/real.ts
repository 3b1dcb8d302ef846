import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../until.ts';
import { javaOf } from './jars.ts';

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface ConfiguredNode {
  hostname: string;
  'trogdor.agent.port'?: number;
  'trogdor.coordinator.port'?: number;
}

/** trogdor.conf as Trogdor's own documentation has it. */
export function writeTrogdorConfig(path: string, nodes: Record<string, ConfiguredNode>): void {
  const platform = 'org.apache.kafka.trogdor.basic.BasicPlatform';
  writeFileSync(path, JSON.stringify({ platform, nodes }));
}

/** The real daemons on loopback: agents of n1 and n2, a coordinator on n1. */
export class RealTrogdor {
  readonly directory = mkdtempSync(join(tmpdir(), 'faultline-trogdor-'));
  readonly #children: ChildProcess[] = [];
  coordinatorUrl = '';
  readonly agentUrls: string[] = [];

  get config(): string {
    return join(this.directory, 'trogdor.conf');
  }

  /** An agent that no coordinator knows. @returns where it answers. */
  async startLoneAgent(): Promise<string> {
    const port = await freePort();
    const config = join(this.directory, 'lone.conf');
    writeTrogdorConfig(config, { n1: { hostname: '127.0.0.1', 'trogdor.agent.port': port } });
    this.launch('agent', 'n1', config);
    const url = `http://127.0.0.1:${port}`;
    await this.#answers(`${url}/agent/status`);
    return url;
  }

  async start(): Promise<void> {
    const [first, second, coordinator] = [await freePort(), await freePort(), await freePort()];
    writeTrogdorConfig(this.config, {
      n1: {
        hostname: '127.0.0.1',
        'trogdor.agent.port': first,
        'trogdor.coordinator.port': coordinator,
      },
      n2: { hostname: '127.0.0.1', 'trogdor.agent.port': second },
    });
    this.launch('agent', 'n1', this.config);
    this.launch('agent', 'n2', this.config);
    this.launch('coordinator', 'n1', this.config);
    this.agentUrls.push(`http://127.0.0.1:${first}`, `http://127.0.0.1:${second}`);
    this.coordinatorUrl = `http://127.0.0.1:${coordinator}`;
    for (const url of this.agentUrls) await this.#answers(`${url}/agent/status`);
    await this.#answers(`${this.coordinatorUrl}/coordinator/status`);
  }

  launch(role: 'agent' | 'coordinator', name: string, config: string): void {
    const main = role === 'agent' ? 'agent.Agent' : 'coordinator.Coordinator';
    const argv = javaOf(`org.apache.kafka.trogdor.${main}`);
    argv.push(`--${role}.config`, config, '--node-name', name);
    const log = openSync(join(this.directory, `${role}-${name}.log`), 'a');
    this.#children.push(
      spawn(argv[0] ?? '', argv.slice(1), { cwd: this.directory, stdio: ['ignore', log, log] }),
    );
    closeSync(log);
  }

  async #answers(url: string): Promise<void> {
    await until(
      `Trogdor at ${url}`,
      () =>
        fetch(url).then(
          ({ ok }) => ok,
          // Not up yet: asked again until the deadline.
          () => false,
        ),
      { timeoutMs: 60_000, everyMs: 200 },
    );
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}
