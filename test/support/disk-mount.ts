import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './needs.ts';
import { until } from './until.ts';
import { askDisk } from '../../src/host/fuse/control-client.ts';
import type { DiskState } from '../../src/host/fuse/disk-state.ts';
import type { Lost } from '../../src/host/fuse/power-cut.ts';
import { detach } from '../../src/host/fuse/supervise.ts';
import type { FileSystemOptions } from '../../src/host/fuse/file-system.ts';
import type { DiskSpecification } from '../../src/core/disk/specification.ts';

export interface DiskMountOptions {
  options?: Partial<FileSystemOptions>;
  /** A program and its arguments that start the file system's process (`prlimit ...`). */
  prefix?: readonly string[];
  overItself?: boolean;
  /** Where its directories are made; default /tmp. */
  under?: string;
  /** The same directories as another's. */
  inPlaceOf?: DiskMount;
}

/** A file system in a process of its own over a throwaway directory. `using` unmounts and removes it. */
export class DiskMount implements AsyncDisposable {
  readonly directory: string;
  readonly target: string;
  readonly path: string;
  readonly process: ChildProcess;
  #said = '';

  private constructor(given: DiskMountOptions) {
    const { under = '/tmp', inPlaceOf } = given;
    this.directory = inPlaceOf?.directory ?? mkdtempSync(join(under, 'faultline-fuse-'));
    this.target = join(this.directory, 'target');
    this.path = given.overItself === true ? this.target : join(this.directory, 'mount');
    mkdirSync(this.target, { recursive: true });
    mkdirSync(this.path, { recursive: true });
    const options = { target: this.target, mountPoint: this.path, ...given.options };
    const argv = [
      ...(given.prefix ?? []),
      process.execPath,
      join(ROOT, 'src/bin/mount.ts'),
      JSON.stringify(options),
    ];
    this.process = spawn(argv[0] as string, argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (part: Buffer) => {
        this.#said += part.toString('utf8');
      });
    }
  }

  static async start(given: DiskMountOptions = {}): Promise<DiskMount> {
    const mount = new DiskMount(given);
    try {
      const ready = (): boolean => {
        if (mount.process.exitCode !== null) throw new Error(`it ended: ${mount.#said}`);
        return mount.#said.includes('ready');
      };
      await until('the mount is ready', ready, { timeoutMs: 60_000 });
    } catch (error) {
      await mount[Symbol.asyncDispose]();
      throw error;
    }
    return mount;
  }

  get said(): string {
    return this.#said;
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  file(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  async set(specification: DiskSpecification): Promise<DiskState> {
    return (await askDisk(
      this.path,
      'PUT',
      '/v1/disk',
      JSON.stringify(specification),
    )) as DiskState;
  }

  /** One route below /v1/disk. */
  async ask(method: string, route: string, body?: unknown): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return askDisk(this.path, method, `/v1/disk${route}`, text);
  }

  async clear(): Promise<void> {
    await askDisk(this.path, 'DELETE', '/v1/disk');
  }

  async state(): Promise<DiskState> {
    return (await askDisk(this.path, 'GET', '/v1/disk')) as DiskState;
  }

  async powerCut(loss: string, seed = 1, names = 'own'): Promise<Lost> {
    return (await this.ask('POST', '/powercut', { loss, seed, names })) as Lost;
  }

  /** Memory of the file system's process that is in use, in bytes. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGTERM');
      await until('the file system ends', () => this.#hasEnded(), { timeoutMs: 5000 }).catch(() => {
        this.process.kill('SIGKILL');
      });
      await until('the file system is dead', () => this.#hasEnded());
    }
    await detach(this.path);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }
}

/** Runs a program to its end without blocking this process. */
export async function run(
  argv: readonly string[],
  options: { cwd?: string; uid?: number; gid?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<{ code: number | null; signal: string | null; out: string; error: string }> {
  const child = spawn(argv[0] as string, argv.slice(1), {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let error = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString('latin1')));
  child.stderr.on('data', (part: Buffer) => (error += part.toString('latin1')));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, out, error }));
  });
}
