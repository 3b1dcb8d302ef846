import { createReadStream, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { sameJson } from '../../core/base/canonical-json.ts';
import { reasonOf } from '../../core/base/failure.ts';
import { under } from '../../core/base/problem.ts';
import { checkWorkloadSpec } from '../../core/workloads/spec.ts';
import type { WorkloadCommand } from '../../core/workloads/status.ts';
import { HttpProblem, unprocessable } from '../http/http-problem.ts';
import type { Handler, Reply, RouteRequest } from '../http/handler.ts';
import { FILES } from '../workload/files.ts';
import { historyPath, openHistory } from '../workload/history-file.ts';
import {
  adoptWorkload,
  killWorkload,
  readStatus,
  sendWorkload,
  startWorkload,
  type ReadStatus,
} from '../workload/supervise.ts';

const WORKLOADS_MAX = 32;
const WATCH_MS = 500;

/** The workloads of this node: processes of their own, one directory each, found again after a restart. */
export class Workloads {
  readonly #root: string;
  readonly #onStatus: (id: string, status: ReadStatus) => void;
  readonly #told = new Map<string, string>();
  #watch: NodeJS.Timeout | undefined;

  /** @param onStatus called with every new status while `watch` is on. */
  constructor(stateDirectory: string, onStatus: (id: string, status: ReadStatus) => void) {
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

  #start(request: RouteRequest): Reply {
    const { id, kind, spec } = request.body as {
      id: string;
      kind: string;
      spec: Record<string, unknown>;
    };
    const checked = checkWorkloadSpec(spec);
    if (!checked.ok) throw unprocessable(under('/spec', checked.problems));
    if (checked.value.kind !== kind)
      throw unprocessable([
        { path: '/kind', message: `the spec is one of '${checked.value.kind}'` },
      ]);
    const directory = join(this.#root, id);
    const known = existsSync(directory);
    const earlier = known ? readSpec(directory) : undefined;
    if (earlier !== undefined && !sameJson(earlier, checked.value))
      throw new HttpProblem(409, `workload '${id}' exists with another spec`, {
        conflictsWith: id,
      });
    if (!known && this.#ids().length >= WORKLOADS_MAX)
      throw new HttpProblem(409, `this agent holds ${WORKLOADS_MAX} workloads; delete one`);
    const started = startWorkload(checked.value, directory);
    const location = `/v1/workloads/${id}`;
    return { status: known ? 200 : 201, body: { id, pid: started.pid }, headers: { location } };
  }

  #status(id: string): ReadStatus {
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
    const directory = this.#directory(id);
    killWorkload(directory);
    rmSync(directory, { recursive: true, force: true });
    this.#told.delete(id);
    return { status: 200, body: { id } };
  }

  #look(): void {
    for (const id of this.#ids()) {
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
