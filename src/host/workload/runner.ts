import { existsSync, readFileSync } from 'node:fs';
import { Failure } from '../../core/base/failure.ts';
import type { WorkloadSpec } from '../../core/workloads/spec.ts';
import type { SeriesEntry } from '../../core/model/series.ts';
import type { WorkloadCommand, WorkloadStatus } from '../../core/workloads/status.ts';
import { FILES } from './files.ts';
import { compressHistory, LineFile } from './history-file.ts';
import { ControllerWatch } from './controller-watch.ts';
import { failureReason, LogWorkload } from './log-workload.ts';
import { monotonicNs, Recorder } from './recorder.ts';
import { StatusFile } from './status-file.ts';
import { Tally } from './tally.ts';

const STATUS_MS = 500;
const COMMAND_MS = 100;

/** A workload in its own process: phases, status, series, commands out of a file. */
export class WorkloadRunner {
  #spec: WorkloadSpec;
  #directory: string;
  #workload: LogWorkload;
  #watch: ControllerWatch;
  #history: LineFile;
  #series: LineFile;
  #startedAtMs = Date.now();
  #error: string | undefined;
  #taken = 0;
  #errorsBefore = 0;
  #stopNow = false;
  readonly #file: StatusFile;

  private constructor(spec: WorkloadSpec, directory: string, history: LineFile, series: LineFile) {
    this.#file = new StatusFile(`${directory}/${FILES.status}`);
    this.#spec = spec;
    this.#directory = directory;
    this.#history = history;
    this.#series = series;
    const recorder = new Recorder(history);
    this.#workload = new LogWorkload(spec, recorder, new Tally());
    const { producers, readers } = this.#workload.settings;
    this.#watch = new ControllerWatch(spec, recorder, producers + readers);
  }

  static async open(spec: WorkloadSpec, directory: string): Promise<WorkloadRunner> {
    const history = await LineFile.create(`${directory}/${FILES.history}`);
    const series = await LineFile.create(`${directory}/${FILES.series}`);
    return new WorkloadRunner(spec, directory, history, series);
  }

  /** Ends the load and closes, whatever phase it is in. */
  interrupt(): void {
    this.#stopNow = true;
  }

  /** Runs to the end. @returns the exit code: 0 closed, 3 failed (why is in status.json). */
  async run(): Promise<number> {
    const status = setInterval(() => void this.#writeStatus(), STATUS_MS);
    const seconds = setInterval(() => this.#second(), 1_000);
    try {
      await this.#phases();
      this.#workload.phase = 'closed';
    } catch (error) {
      this.#workload.phase = 'failed';
      this.#error = failureReason(error);
      console.error(error);
    } finally {
      clearInterval(status);
      clearInterval(seconds);
    }
    this.#watch.stop();
    await this.#workload.close();
    this.#second();
    await this.#history.close();
    await this.#series.close();
    this.#noteFileErrors();
    await this.#writeStatus();
    return this.#workload.phase === 'closed' ? 0 : 3;
  }

  async #phases(): Promise<void> {
    const workload = this.#workload;
    await workload.create();
    workload.start();
    this.#watch.start();
    const endMs = performance.now() + workload.settings.longestMs;
    for (;;) {
      const command = await this.#next(endMs);
      const { phase } = workload;
      if (command.command !== 'close' && phase === 'running') await workload.stop();
      if (command.command === 'finalRead' && workload.phase === 'stopped') await workload.readAll();
      if (command.command !== 'close') continue;
      if (phase === 'running') await workload.stop();
      if (command.compress === true) await this.#compress();
      return;
    }
  }

  async #compress(): Promise<void> {
    this.#watch.stop();
    await this.#workload.close();
    await this.#history.close();
    if (this.#history.error === undefined) {
      await compressHistory(`${this.#directory}/${FILES.history}`);
    }
  }

  /** The next command of the file; `close` when the time is up or a signal came. @throws Failure. */
  async #next(endMs: number): Promise<WorkloadCommand> {
    for (;;) {
      const error = this.#history.error ?? this.#series.error;
      // A history with a hole would look like a cluster that lost records.
      if (error !== undefined) throw new Failure('history-not-written', error, { definite: true });
      const command = this.#commands()[this.#taken];
      if (command !== undefined) {
        this.#taken++;
        return command;
      }
      if (this.#stopNow || performance.now() > endMs) return { command: 'close' };
      await new Promise((resolve) => setTimeout(resolve, COMMAND_MS));
    }
  }

  #commands(): WorkloadCommand[] {
    const path = `${this.#directory}/${FILES.commands}`;
    if (!existsSync(path)) return [];
    // What follows the last newline is still being written.
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as WorkloadCommand);
  }

  #second(): void {
    const { tally } = this.#workload;
    this.#workload.update();
    const delta = tally.endSecond();
    const errors = Object.values(this.#workload.errors()).reduce((sum, count) => sum + count, 0);
    const entry: SeriesEntry = {
      timeNs: monotonicNs(),
      wallMs: Date.now(),
      ...delta,
      errors: errors - this.#errorsBefore,
      latencyMs: tally.latencyMs,
    };
    this.#errorsBefore = errors;
    this.#series.append(JSON.stringify(entry));
  }

  status(): WorkloadStatus {
    const { tally, settings, phase, finalRead } = this.#workload;
    const status: WorkloadStatus = {
      kind: this.#spec.kind,
      run: this.#spec.run,
      phase,
      updatedAtMs: Date.now(),
      startedAtMs: this.#startedAtMs,
      topic: settings.topic,
      ...tally.totals,
      perSecond: tally.lastSecond,
      latencyMs: tally.latencyMs,
      errors: this.#workload.errors(),
      producers: this.#workload.producers(),
      cpuPercent: tally.cpuPercent,
      residentMb: Math.round(process.memoryUsage.rss() / 1_048_576),
    };
    if (finalRead !== undefined) status.finalRead = finalRead;
    if (this.#error !== undefined) status.error = this.#error;
    return status;
  }

  #noteFileErrors(): void {
    const error = this.#history.error ?? this.#series.error;
    if (error === undefined) return;
    this.#workload.phase = 'failed';
    this.#error ??= error;
  }

  #writeStatus(): Promise<void> {
    this.#noteFileErrors();
    return this.#file.write(this.status());
  }
}
