import { createReadStream, existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { reasonOf } from '../../core/base/failure.ts';
import { under, type Problem } from '../../core/base/problem.ts';
import { sameJson } from '../../core/base/canonical-json.ts';
import { formatInstant } from '../../core/base/instant.ts';
import { checkScenario } from '../../core/coordinator/check-scenario.ts';
import { newRun, type RunRecord } from '../../core/coordinator/run-record.ts';
import { scheduleOf } from '../../core/coordinator/schedule-of.ts';
import type { RunStatus } from '../../core/model/run.ts';
import { HttpProblem, unprocessable } from '../http/http-problem.ts';
import type { CoordinatorApi, Runs, Table } from './api.ts';
import { RunExecutor } from './run-executor.ts';
import { RunFiles } from './run-files.ts';
import { RunWorkload, workloadNode } from './run-workload.ts';

/** A scenario that names no seed always means this one. */
const DEFAULT_SEED = '1';

/** All runs of a coordinator. One goes at a time: two would judge each other's faults. */
export class CoordinatorRuns implements Runs {
  readonly #coordinator: CoordinatorApi;
  readonly #logger: Logger;
  readonly #table: Table<RunRecord>;
  readonly #executors = new Map<string, RunExecutor>();
  #closed = false;

  constructor(coordinator: CoordinatorApi, logger: Logger) {
    this.#coordinator = coordinator;
    this.#logger = logger;
    this.#table = coordinator.table<RunRecord>('runs');
  }

  async create(request: {
    id: string;
    scenario: unknown;
    seed?: string;
  }): Promise<{ created: boolean; run: RunStatus }> {
    const { topology } = this.#coordinator;
    const scenario = checkScenario(request.scenario, topology);
    const problems = scenario.ok ? [] : under('/scenario', scenario.problems);
    problems.push(...this.#checkWorkload(request.scenario));
    if (!scenario.ok || problems.length > 0) throw unprocessable(problems);
    const seed = BigInt(request.seed ?? DEFAULT_SEED).toString();
    const there = this.get(request.id);
    if (there !== undefined) {
      if (sameJson([there.scenario, there.seed], [scenario.value, seed])) {
        return { created: false, run: there };
      }
      const message = `run '${request.id}' exists, with another scenario or seed`;
      throw new HttpProblem(409, message, { conflictsWith: request.id });
    }
    this.#refuseWhileBusy();
    const nowMs = Date.now();
    const schedule = scheduleOf(scenario.value, seed, topology);
    const record = newRun(request.id, scenario.value, schedule, nowMs, formatInstant(nowMs));
    if (scenario.value.workload !== undefined) {
      const node = workloadNode(this.#coordinator, record.status);
      record.status.workload = { node, id: request.id };
    }
    return { created: true, run: this.#execute(record).record.status };
  }

  #checkWorkload(scenario: unknown): Problem[] {
    const { workload } = scenario as { workload?: unknown };
    if (workload === undefined || this.#coordinator.cluster.kafka !== undefined) return [];
    const message = 'cluster.yaml has no kafka.bootstrap: the workload needs it';
    return [{ path: '/scenario/workload', message }];
  }

  #refuseWhileBusy(): void {
    if (this.#coordinator.halted) {
      throw new HttpProblem(
        409,
        "everything was healed and nothing new is allowed; 'resume' ends that",
      );
    }
    const busy = [...this.#executors.values()].find(({ record }) => record.status.phase !== 'done');
    if (busy === undefined) return;
    const { id } = busy.record.status;
    const message = `run '${id}' is under way; two at once would disturb each other`;
    throw new HttpProblem(409, message, { conflictsWith: id });
  }

  #execute(record: RunRecord): RunExecutor {
    const { id, workload } = record.status;
    const executor = new RunExecutor(record, {
      coordinator: this.#coordinator,
      table: this.#table,
      files: new RunFiles(this.#coordinator.stateDirectory, id),
      workload:
        workload === undefined
          ? undefined
          : new RunWorkload(this.#coordinator, record.status, workload.node),
      logger: this.#logger,
    });
    this.#executors.set(id, executor);
    executor.finished.catch((error: unknown) =>
      this.#logger.error({ run: id, reason: reasonOf(error) }, 'run: its execution ended'),
    );
    return executor;
  }

  list(): RunStatus[] {
    return this.#table
      .list()
      .map(({ id, value }) => this.#executors.get(id)?.record.status ?? value.status)
      .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  }

  get(id: string): RunStatus | undefined {
    return this.#executors.get(id)?.record.status ?? this.#table.get(id)?.status;
  }

  cancel(id: string): { ended: boolean; run: RunStatus } | undefined {
    const run = this.get(id);
    if (run === undefined) return undefined;
    const ended = run.phase === 'done';
    if (!ended) this.#executors.get(id)?.end('cancelled');
    return { ended, run: this.get(id) ?? run };
  }

  cancelAll(): void {
    for (const executor of this.#executors.values()) executor.end('cancelled');
  }

  timeline(id: string): AsyncIterable<unknown> {
    return new RunFiles(this.#coordinator.stateDirectory, this.#known(id)).entries();
  }

  async history(id: string): Promise<Readable> {
    const files = new RunFiles(this.#coordinator.stateDirectory, this.#known(id));
    if (existsSync(files.history)) return createReadStream(files.history);
    throw new HttpProblem(409, `run '${id}' has not come to its history yet`, {
      conflictsWith: id,
    });
  }

  #known(id: string): string {
    if (this.get(id) === undefined) throw new HttpProblem(404, `there is no run '${id}'`);
    return id;
  }

  start(): void {
    for (const { value } of this.#table.list()) {
      if (value.status.phase !== 'done') this.#execute(value);
    }
  }

  /** Stops executing; what is under way goes on at the next start. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const executor of this.#executors.values()) executor.close();
    await Promise.allSettled([...this.#executors.values()].map(({ finished }) => finished));
  }
}
