import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Failure } from '../../src/core/base/failure.ts';
import type { Act } from '../../src/core/model/act.ts';
import type { Service } from '../../src/core/model/agent-config.ts';
import type { Capability, Probe } from '../../src/core/model/fault.ts';
import type { AnswerTo, Query } from '../../src/core/model/query.ts';
import type { Leftover, Linux } from '../../src/host/linux/linux.ts';
import type { TestNetwork, TestNode } from './netns.ts';

interface Reply {
  id: number;
  value?: unknown;
  tookMs?: number;
  failure?: { code: string; definite: boolean; message: string };
}

/** The real hands in another network namespace: a RealLinux in a child, one JSON line a call. */
export class LinuxInNetns implements Linux {
  readonly #child: ChildProcess;
  readonly #scratch = mkdtempSync(join(tmpdir(), 'faultline-hands-'));
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #nextId = 1;
  /** How long the last call took inside the child, ms. */
  tookMs = 0;

  constructor(
    network: TestNetwork,
    node: TestNode,
    services: Record<string, Service> = {},
    iptables?: string,
  ) {
    const script = join(import.meta.dirname, 'linux-server.ts');
    const options = JSON.stringify({ services, scratchDir: this.#scratch, iptables });
    this.#child = network.spawn(node, [process.execPath, script], {
      env: { ...process.env, FAULTLINE_TEST_LINUX: options },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdout } = this.#child;
    if (!stdout) throw new Error('no pipe');
    createInterface({ input: stdout }).on('line', (line) => {
      const reply = JSON.parse(line) as Reply;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
  }

  async #call(method: keyof Linux, argument?: unknown): Promise<unknown> {
    const id = this.#nextId++;
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#child.stdin?.write(`${JSON.stringify({ id, method, argument })}\n`);
    const { value, failure, tookMs } = await reply;
    if (failure) {
      throw new Failure(failure.code, failure.message, { definite: failure.definite });
    }
    this.tookMs = tookMs ?? 0;
    return value;
  }

  async perform(act: Act): Promise<void> {
    await this.#call('perform', act);
  }
  async holds(act: Act): Promise<boolean> {
    return (await this.#call('holds', act)) as boolean;
  }
  async ask<Q extends Query>(query: Q): Promise<AnswerTo<Q>> {
    return (await this.#call('ask', query)) as AnswerTo<Q>;
  }
  async probe(probes: readonly Probe[]): Promise<void> {
    await this.#call('probe', probes);
  }
  async needs(): Promise<Capability[]> {
    return (await this.#call('needs')) as Capability[];
  }
  async leftovers(): Promise<Leftover[]> {
    return (await this.#call('leftovers')) as Leftover[];
  }

  /** Ends the child; what it did to its namespace stays. May be called twice. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    await ended;
    rmSync(this.#scratch, { recursive: true });
  }
}
