import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import { ROOT } from './needs.ts';
import { until } from './until.ts';

/** Every answer of a daemon: status and parsed body. */
export interface Answered {
  status: number;
  body: Record<string, unknown>;
}

/** A real agent in a process of its own, in whatever namespaces its `prefix` enters. */
export class AgentProcess {
  readonly state: string;
  readonly #prefix: readonly string[];
  readonly #node: string;
  readonly #listen: string;
  readonly #extra: readonly string[];
  #child: ChildProcess | undefined;
  #stdout = '';
  stderr = '';
  url = '';

  /** @param prefix argv that enters a namespace: ['ip', 'netns', 'exec', NAME]. */
  constructor(
    prefix: readonly string[],
    options: { node?: string; listen?: string; state?: string; extra?: readonly string[] } = {},
  ) {
    this.#prefix = prefix;
    this.#node = options.node ?? 'n1';
    this.#listen = options.listen ?? '127.0.0.1:0';
    this.#extra = options.extra ?? [];
    this.state = options.state ?? mkdtempSync(join(tmpdir(), 'faultline-agent-test-'));
  }

  /** Starts it and waits for its ready line. */
  async start(): Promise<this> {
    this.launch();
    await until(
      `the agent's ready line; it said: ${this.stderr}`,
      () => this.#stdout.includes(' is ready: ') || this.#ended,
      { timeoutMs: 20_000 },
    );
    this.url = /http:\/\/[^ ]+/.exec(this.#stdout)?.[0] ?? '';
    if (this.url === '') throw new Error(`the agent did not start: ${this.stderr}`);
    return this;
  }

  launch(): ChildProcess {
    this.#stdout = '';
    const argv = [...this.#prefix, join(ROOT, 'faultline'), 'agent', '--node', this.#node];
    argv.push('--listen', this.#listen, '--state', this.state, ...this.#extra);
    const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.#child = child;
    return child;
  }

  get #ended(): boolean {
    return this.#child?.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The agent's own pid: launchers exec, so it is the child's. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get guardPids(): number[] {
    return childrenOf(this.pid).filter((pid) => commandLine(pid).includes('guard.sh'));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async exited(): Promise<number | null> {
    await until('the agent to end', () => this.#ended);
    return this.#child?.exitCode ?? null;
  }

  get token(): string {
    return readFileSync(join(this.state, 'token'), 'utf8').trim();
  }

  async ask(method: string, path: string, body?: unknown): Promise<Answered> {
    const { token } = this;
    const argv = [...this.#prefix, process.execPath, '-e', CLIENT];
    argv.push(method, this.url + path, token);
    const text = body === undefined ? '' : JSON.stringify(body);
    if (this.#prefix.length > 0) return JSON.parse(await output(argv, text)) as Answered;
    return ask(method, this.url + path, token, body);
  }

  async fault(id: string): Promise<AgentFaultStatus> {
    return (await this.ask('GET', `/v1/faults/${id}`)).body as unknown as AgentFaultStatus;
  }

  /** Ends whatever still runs, and removes the state directory. */
  async close(): Promise<void> {
    const guards = this.guardPids;
    if (!this.#ended) {
      this.kill('SIGCONT');
      this.kill('SIGTERM');
      await this.exited();
    }
    for (const pid of guards) await until(`guard ${pid} to end`, () => commandLine(pid) === '');
    rmSync(this.state, { recursive: true, force: true });
  }
}

/**
 * A client for the inside of a namespace: prints status and body. The request's body comes by standard
 * input, because a fault that matches arguments must not find it among ours.
 */
const CLIENT = `
const [method, url, token] = process.argv.slice(1);
const body = require('node:fs').readFileSync(0, 'utf8');
const headers = { authorization: 'Bearer ' + token };
if (body) headers['content-type'] = 'application/json';
fetch(url, { method, headers, ...(body ? { body } : {}) }).then(async (answer) => {
  console.log(JSON.stringify({ status: answer.status, body: await answer.json() }));
});
`;

function output(argv: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(input);
    let text = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('close', (code) => (code === 0 ? resolve(text) : reject(new Error(errors))));
  });
}

function ask(method: string, url: string, token: string, body: unknown): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const sent = request(url, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as Answered['body'] }),
      );
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    // No such process.
    return '';
  }
}

export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    // No such process: no children.
    return [];
  }
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}
