import { existsSync, readFileSync } from 'node:fs';
import { reasonOf } from '../../core/base/failure.ts';
import type { BenchSpec, BenchStatus } from '../../core/workloads/bench-spec.ts';
import type { BenchContext, BenchRun } from './bench/context.ts';
import { configurableProducer } from './bench/configurable-producer.ts';
import { connectionStress } from './bench/connection-stress.ts';
import { consumeBench } from './bench/consume-bench.ts';
import { externalCommand } from './bench/external-command.ts';
import { produceBench } from './bench/produce-bench.ts';
import { roundTrip, shareRoundTrip } from './bench/round-trip.ts';
import { shareConsumeBench } from './bench/share-consume-bench.ts';
import { sustainedConnection } from './bench/sustained-connection.ts';
import { FILES } from './files.ts';
import { StatusFile } from './status-file.ts';

const STATUS_MS = 500;
const COMMAND_MS = 100;
/** What does not end although it was told to is left to its fate after this long. */
const PATIENCE_MS = 20_000;

const RUNS: Readonly<Record<string, BenchRun>> = {
  'configurable-producer': configurableProducer,
  'connection-stress': connectionStress,
  'consume-bench': consumeBench,
  'external-command': externalCommand,
  'produce-bench': produceBench,
  'round-trip': roundTrip,
  'share-consume-bench': shareConsumeBench,
  'share-round-trip': shareRoundTrip,
  'sustained-connection': sustainedConnection,
};

/** A bench in its own process: status, the end of its time, the command to close. */
export class BenchRunner {
  readonly #spec: BenchSpec;
  readonly #directory: string;
  readonly #file: StatusFile;
  readonly #ending = new AbortController();
  readonly #startedAtMs = Date.now();
  readonly #endMs: number;
  #phase: BenchStatus['phase'] = 'running';
  #error: string | undefined;
  #endedAtMs: number | undefined;
  #ended: 'time' | 'request' | undefined;
  #show: () => unknown = () => null;

  constructor(spec: BenchSpec, directory: string) {
    this.#spec = spec;
    this.#directory = directory;
    this.#file = new StatusFile(`${directory}/${FILES.status}`);
    // From here on by a clock that nobody sets.
    this.#endMs = performance.now() + spec.endAtMs - Date.now();
  }

  interrupt(): void {
    this.#end('request');
  }

  #end(by: 'time' | 'request'): void {
    this.#ended ??= by;
    this.#ending.abort();
  }

  /** Runs to the end. @returns the exit code: 0 closed, 3 failed (why is in status.json). */
  async run(): Promise<number> {
    await this.#write();
    const status = setInterval(() => void this.#write(), STATUS_MS);
    const look = setInterval(() => this.#look(), COMMAND_MS);
    try {
      this.#error = await Promise.race([this.#perform(), this.#overdue()]);
    } catch (error) {
      this.#error = reasonOf(error);
      console.error(error);
    } finally {
      clearInterval(status);
      clearInterval(look);
    }
    this.#endedAtMs = Date.now();
    this.#phase = this.#error === undefined ? 'closed' : 'failed';
    await this.#write();
    return this.#phase === 'closed' ? 0 : 3;
  }

  #perform(): Promise<string | undefined> {
    const run = RUNS[this.#spec.kind];
    if (!run) throw new Error(`no bench '${this.#spec.kind}'`);
    const endedBy = (): 'time' | 'request' | undefined => this.#ended;
    const context: BenchContext = {
      run: this.#spec.run,
      task: this.#spec.task,
      signal: this.#ending.signal,
      endedBy,
      show: (say) => {
        this.#show = say;
      },
    };
    return run(this.#spec.params, context);
  }

  #overdue(): Promise<string> {
    return new Promise((resolve) => {
      const late = (): void => {
        const says = `it did not end within ${PATIENCE_MS / 1_000} s of being told to`;
        setTimeout(() => resolve(says), PATIENCE_MS + this.#graceMs()).unref();
      };
      this.#ending.signal.addEventListener('abort', late, { once: true });
    });
  }

  #graceMs(): number {
    const grace = this.#spec.params['shutdownGracePeriodMs'];
    return typeof grace === 'number' ? grace : 0;
  }

  #look(): void {
    if (performance.now() >= this.#endMs) this.#end('time');
    const path = `${this.#directory}/${FILES.commands}`;
    // Only one thing can be told to a bench: to close.
    if (existsSync(path) && readFileSync(path, 'utf8').includes('"close"')) this.#end('request');
  }

  #write(): Promise<void> {
    const status: BenchStatus = {
      kind: this.#spec.kind,
      run: this.#spec.run,
      phase: this.#phase,
      updatedAtMs: Date.now(),
      startedAtMs: this.#startedAtMs,
      status: this.#show(),
    };
    if (this.#error !== undefined) status.error = this.#error;
    if (this.#endedAtMs !== undefined) status.endedAtMs = this.#endedAtMs;
    return this.#file.write(status);
  }
}
