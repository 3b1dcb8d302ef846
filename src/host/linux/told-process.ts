import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { processesOf, tokensOf } from './marked-processes.ts';
import { GO, type Told } from './obey.ts';
import { ENDED, sendSignal, waitFor, type SeenProcess } from './processes.ts';
import type { Start } from './starts.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin');
const START_MS = 20_000;

const isGone = (state: string): boolean => ENDED.includes(state);

/** What a sort of process is called. */
interface Sort {
  /** The file in src/bin. */
  script: string;
  /** For people: 'Kafka proxy'. */
  name: string;
  /** The code of the Failure where one does not start. */
  notStarted: string;
}

/**
 * Processes of faults that take their orders on standard input, come into force when they are told to
 * (obey.ts), outlive the agent and end by themselves unless they are renewed. Each is found in /proc by
 * its token: `node SCRIPT --token TOKEN`.
 */
export class ToldProcesses {
  readonly #sort: Sort;

  constructor(sort: Sort) {
    this.#sort = sort;
  }

  get #path(): string {
    return `/src/bin/${this.#sort.script}`;
  }

  running(token: string): SeenProcess[] {
    return processesOf(this.#path, token);
  }

  tokens(): string[] {
    return tokensOf(this.#path);
  }

  /**
   * Returns when it is in force. @param more descriptors after standard error, a group.
   * @throws Failure with what it said, or because nobody wants it any more.
   */
  async start(
    start: Start,
    token: string,
    orders: object,
    more: { descriptors?: number[]; gid?: number } = {},
  ): Promise<void> {
    const { descriptors = [], gid } = more;
    const argv = ['--disable-warning=ExperimentalWarning', join(BIN, this.#sort.script)];
    const options: SpawnOptions = {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore', ...descriptors],
      cwd: '/',
      env: { PATH: process.env['PATH'] },
      ...(gid === undefined ? {} : { gid }),
    };
    start.check();
    const child = spawn(process.execPath, [...argv, '--token', token], options);
    child.stdin?.on('error', () => undefined); // It ended: its exit says why.
    child.stdin?.write(`${JSON.stringify(orders)}\n`);
    try {
      await this.#ready(child, start);
    } finally {
      // One that waits for a word of ours ends here.
      child.stdin?.destroy();
      child.stdout?.destroy();
      child.unref();
    }
  }

  #ready(child: ChildProcess, start: Start): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (failure?: Failure): void => {
        clearTimeout(timer);
        if (failure) reject(failure);
        else resolve();
      };
      const fail = (reason: string): void => {
        const message = `the ${this.#sort.name} did not start: ${reason}`;
        end(new Failure(this.#sort.notStarted, message, { definite: false }));
      };
      const timer = setTimeout(() => fail(`it said nothing for ${START_MS} ms`), START_MS);
      child.once('error', (error) => fail(reasonOf(error)));
      child.once('exit', (code, signal) => fail(`it ended with ${code ?? signal}`));
      if (child.stdout === null) return fail('it has no output');
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { says, reason = 'it did not say why' } = JSON.parse(line) as Told;
        if (says === 'failed') return fail(reason);
        if (says === 'ready') return end();
        try {
          start.check();
          child.stdin?.write(`${GO}\n`);
        } catch (error) {
          fail(reasonOf(error));
        }
      });
    });
  }

  /** Renews its own timeout, by SIGCONT: one that comes too early harms nobody. @throws Failure 'expired' */
  renew(token: string): void {
    const renewed = this.running(token).filter(({ ref }) => sendSignal(ref, 'SIGCONT'));
    if (renewed.length > 0) return;
    const message = `the ${this.#sort.name} ${token} has ended by itself`;
    throw new Failure('expired', message, { definite: true });
  }

  /** Asks it to end and kills it where it does not; harmless where none runs. */
  async end(token: string): Promise<void> {
    const refs = this.running(token).map(({ ref }) => ref);
    for (const ref of refs) sendSignal(ref, 'SIGTERM');
    try {
      await waitFor(refs, isGone, 'SIGTERM');
    } catch {
      // It hangs, or is stopped: it holds nothing that a kill would not free.
      await this.kill(token);
    }
  }

  /** Harmless where none runs. */
  async kill(token: string): Promise<void> {
    const refs = this.running(token).map(({ ref }) => ref);
    for (const ref of refs) sendSignal(ref, 'SIGKILL');
    await waitFor(refs, isGone, 'SIGKILL');
  }
}
