import { createReadStream, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { sameJson } from '../../core/base/canonical-json.ts';
import { reasonOf } from '../../core/base/failure.ts';
import { under } from '../../core/base/problem.ts';
import {
  checkBenchSpec,
  isBenchDocument,
  type BenchSpec,
  type BenchStatus,
} from '../../core/workloads/bench-spec.ts';
import {
  whyNotRun,
  type AllowedPrograms,
  type ExternalCommandParams,
} from '../../core/workloads/bench/external-command.ts';
import { checkWorkloadSpec, type WorkloadSpec } from '../../core/workloads/spec.ts';
import type { WorkloadCommand } from '../../core/workloads/status.ts';
import { HttpProblem, unprocessable } from '../http/http-problem.ts';
import type { Handler, Reply, RouteRequest } from '../http/handler.ts';
import { FILES } from '../workload/files.ts';
import { historyPath, openHistory } from '../workload/history-file.ts';
import {
  adoptWorkload,
  killWorkload,
  readBenchStatus,
  readStatus,
  sendWorkload,
  startWorkload,
  type ReadStatus,
} from '../workload/supervise.ts';

const WORKLOADS_MAX = 32;
const WATCH_MS = 500;
/** How long an agent that ends waits for its benches. */
const END_MS = 6_000;
const END_POLL_MS = 50;

/** The workloads of this node: processes of their own, one directory each, found again after a restart. */
export class Workloads {
  readonly #root: string;
  readonly #allowed: AllowedPrograms;
  readonly #onStatus: (id: string, status: ReadStatus) => void;
  readonly #told = new Map<string, string>();
  #watch: NodeJS.Timeout | undefined;

  /**
   * @param allowed programs that benches may run.
   * @param onStatus called with every new status while `watch` is on.
   */
  constructor(
    stateDirectory: string,
    allowed: AllowedPrograms,
    onStatus: (id: string, status: ReadStatus) => void,
  ) {
    this.#allowed = allowed;
    this.#root = join(stateDirectory, 'workloads');
    this.#onStatus = onStatus;
  }

  /** Starts looking for new statuses, about as often as workloads write them. */
  watch(): void {
    this.#watch ??= setInterval(() => this.#look(), WATCH_MS);
    this.#watch.unref();
  }

  close(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  handlers(): Record<string, Handler> {
    return {
      startWorkload: (request) => this.#start(request),
      getWorkload: ({ params }) => ({ status: 200, body: this.#status(params['id'] ?? '') }),
      commandWorkload: ({ params }) => this.#command(params['id'] ?? '', params['command'] ?? ''),
      workloadFile: ({ params }) => this.#file(params['id'] ?? '', params['file'] ?? ''),
      deleteWorkload: ({ params }) => this.#delete(params['id'] ?? ''),
    };
  }

  /** Ids match the schema's pattern, so none can leave the directory. @throws HttpProblem 404 */
  #directory(id: string): string {
    const directory = join(this.#root, id);
    if (!existsSync(directory)) throw new HttpProblem(404, `there is no workload '${id}'`);
    return directory;
  }

  #ids(): string[] {
    return existsSync(this.#root) ? readdirSync(this.#root) : [];
  }

  #idsNow(): string[] {
    try {
      return this.#ids();
    } catch {
      // No descriptor left: the next look may have one.
      return [];
    }
  }

  #start(request: RouteRequest): Reply {
    const { id, kind, spec } = request.body as {
      id: string;
      kind: string;
      spec: Record<string, unknown>;
    };
    const checked = this.#checked(spec);
    if (checked.kind !== kind)
      throw unprocessable([{ path: '/kind', message: `the spec is one of '${checked.kind}'` }]);
    const { known, pid } = this.#begin(id, checked);
    const location = `/v1/workloads/${id}`;
    return { status: known ? 200 : 201, body: { id, pid }, headers: { location } };
  }

  /** @throws HttpProblem 422 with every problem. */
  #checked(spec: unknown): WorkloadSpec | BenchSpec {
    const checked = isBenchDocument(spec) ? checkBenchSpec(spec) : checkWorkloadSpec(spec);
    if (!checked.ok) throw unprocessable(under('/spec', checked.problems));
    return checked.value;
  }

  #begin(id: string, spec: WorkloadSpec | BenchSpec): { known: boolean; pid: number } {
    const directory = join(this.#root, id);
    const known = existsSync(directory);
    const earlier = known ? readSpec(directory) : undefined;
    if (earlier !== undefined && !sameJson(earlier, spec))
      throw new HttpProblem(409, `workload '${id}' exists with another spec`, {
        conflictsWith: id,
      });
    if (earlier === undefined) this.#refuse(spec);
    if (!known && !this.#hasRoom())
      throw new HttpProblem(409, `this agent holds ${WORKLOADS_MAX} workloads; delete one`);
    return { known, pid: startWorkload(spec, directory).pid };
  }

  /** Makes room where a bench has ended that nobody came to clear away. */
  #hasRoom(): boolean {
    if (this.#ids().length < WORKLOADS_MAX) return true;
    const ended = this.#ids().find((id) => {
      const directory = join(this.#root, id);
      return isBenchDocument(readSpec(directory)) && adoptWorkload(directory)?.alive === false;
    });
    if (ended !== undefined) this.removeBench(ended);
    return ended !== undefined;
  }

  /** @throws HttpProblem 422: a program that this node does not run for others. */
  #refuse(spec: WorkloadSpec | BenchSpec): void {
    if (spec.kind !== 'external-command') return;
    const why = whyNotRun(spec.params as ExternalCommandParams, this.#allowed);
    if (why !== undefined) throw unprocessable([{ path: '/spec/params/command/0', message: why }]);
  }

  /** Starts a bench, or finds it again. @throws HttpProblem 409, 422; Failure. */
  startBench(id: string, spec: BenchSpec): void {
    this.#begin(id, this.#checked(spec));
  }

  /** undefined: there is no such bench. */
  bench(id: string): BenchStatus | undefined {
    const directory = join(this.#root, id);
    return existsSync(directory) ? readBenchStatus(directory) : undefined;
  }

  closeBench(id: string): void {
    const directory = join(this.#root, id);
    if (existsSync(directory)) sendWorkload(directory, { command: 'close', compress: false });
  }

  /** Ends it, and deletes its files. */
  removeBench(id: string): void {
    this.#remove(join(this.#root, id));
    this.#told.delete(id);
  }

  #remove(directory: string): void {
    killWorkload(directory);
    rmSync(directory, { recursive: true, force: true });
  }

  /** Benches end with their agent, as Trogdor's workers do; what does not end by itself is killed. */
  async endBenches(): Promise<void> {
    const running = this.#ids().filter((id) => this.#isRunningBench(id));
    for (const id of running) this.closeBench(id);
    const untilMs = performance.now() + END_MS;
    while (performance.now() < untilMs && running.some((id) => this.#isRunningBench(id)))
      await sleep(END_POLL_MS);
    for (const id of running) killWorkload(join(this.#root, id));
  }

  #isRunningBench(id: string): boolean {
    const directory = join(this.#root, id);
    return isBenchDocument(readSpec(directory)) && adoptWorkload(directory)?.alive === true;
  }

  #status(id: string): ReadStatus | BenchStatus {
    if (isBenchDocument(readSpec(this.#directory(id)))) return readBenchStatus(this.#directory(id));
    const status = readStatus(this.#directory(id));
    if (status) return status;
    throw new HttpProblem(404, `workload '${id}' has no status yet`);
  }

  #command(id: string, command: string): Reply {
    // The file is wanted as it is a moment later: nobody gains from compressing it here.
    const told: WorkloadCommand =
      command === 'close'
        ? { command, compress: false }
        : { command: command === 'stop' ? 'stop' : 'finalRead' };
    sendWorkload(this.#directory(id), told);
    return { status: 202, body: { id, command } };
  }

  #file(id: string, file: string): Reply {
    const directory = this.#directory(id);
    const series = join(directory, FILES.series);
    const path =
      file === 'history' ? historyPath(directory) : existsSync(series) ? series : undefined;
    if (path === undefined) throw new HttpProblem(404, `workload '${id}' has no ${file} yet`);
    const stream = file === 'history' ? openHistory(path) : createReadStream(path);
    return { status: 200, stream: stream as Readable, contentType: 'application/jsonl' };
  }

  #delete(id: string): Reply {
    this.#remove(this.#directory(id));
    this.#told.delete(id);
    return { status: 200, body: { id } };
  }

  #look(): void {
    for (const id of this.#idsNow()) {
      try {
        const directory = join(this.#root, id);
        if (!adoptWorkload(directory)) continue;
        const status = readStatus(directory);
        const now = JSON.stringify(status);
        if (!status || this.#told.get(id) === now) continue;
        this.#told.set(id, now);
        this.#onStatus(id, status);
      } catch (error) {
        // A directory that is being made or deleted; the next look sees it whole.
        this.#told.set(id, reasonOf(error));
      }
    }
  }
}

function readSpec(directory: string): unknown {
  try {
    return JSON.parse(readFileSync(join(directory, FILES.spec), 'utf8'));
  } catch {
    // Made, but not started: any spec may start it.
    return undefined;
  }
}
