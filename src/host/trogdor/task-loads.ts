import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/base/failure.ts';
import type { NodeName } from '../../core/model/topology.ts';
import { hasEnded } from '../../core/model/lifecycle.ts';
import { WORKER_KIND, type LoadReport, type PlannedLoad } from '../../core/trogdor/load.ts';
import type { TaskRecord } from '../../core/trogdor/task.ts';
import type { BenchStatus } from '../../core/workloads/bench-spec.ts';
import type { AgentAnswer, CoordinatorApi } from '../coordinator/api.ts';
import type { ForeignAgents, LoadRequest } from './foreign-agents.ts';

const POLL_MS = 400;
const RETRY_MS = 1_000;
const REQUEST_MS = 5_000;
/** After its end a load is given this long to say how it ended. */
const SILENCE_MS = 45_000;

interface TaskLoadsOptions {
  coordinator: CoordinatorApi;
  /** Agents of Trogdor's own, for loads that are their workers. */
  foreign: ForeignAgents;
  /** The record as it is now; undefined: forgotten. */
  record(taskId: string): TaskRecord | undefined;
  /** A load has ended: it is written down. */
  ended(taskId: string, node: NodeName, report: LoadReport): void;
}

/**
 * The loads of tasks on their agents: started at their time, watched, closed and cleared away. What an
 * agent reports is what counts; it is asked again until it answers.
 */
export class TaskLoads {
  readonly #options: TaskLoadsOptions;
  /** By task and node. */
  readonly #reports = new Map<string, Map<NodeName, LoadReport>>();
  readonly #closing = new AbortController();

  constructor(options: TaskLoadsOptions) {
    this.#options = options;
  }

  /** What is known of a task's loads that have not ended. */
  reports(taskId: string): ReadonlyMap<NodeName, LoadReport> {
    return this.#reports.get(taskId) ?? new Map<NodeName, LoadReport>();
  }

  /** Begins with a new task, or goes on with one after a restart. */
  follow(record: TaskRecord): void {
    for (const load of record.loads ?? [])
      if (record.ends?.[load.node] === undefined) void this.#follow(record, load);
  }

  /** Looks after them no more; they go on. */
  close(): void {
    this.#closing.abort();
  }

  async #follow(record: TaskRecord, load: PlannedLoad): Promise<void> {
    try {
      await this.#toItsEnd(record, load);
    } catch (error) {
      // The coordinator has ended: the next one goes on with it.
      if (!this.#closing.signal.aborted) throw error;
    }
  }

  async #toItsEnd(record: TaskRecord, load: PlannedLoad): Promise<void> {
    const end = await this.#run(record, load);
    await this.#clear(load);
    this.#reports.get(record.id)?.delete(load.node);
    if (this.#current(record)) this.#options.ended(record.id, load.node, end);
    else this.#reports.delete(record.id);
  }

  /** The task as it is now; undefined: it, or this one of its id, is forgotten. */
  #current({ id, loads }: TaskRecord): TaskRecord | undefined {
    const now = this.#options.record(id);
    return now?.loads?.[0]?.id === loads?.[0]?.id ? now : undefined;
  }

  #isOver(record: TaskRecord): boolean {
    const now = this.#current(record);
    if (!now || now.stoppedMs !== undefined || this.#options.coordinator.halted) return true;
    // The first error ends a task everywhere, and so does the end of a fault that is a part of it.
    if (now.failed || Object.values(now.ends ?? {}).some(({ phase }) => phase === 'failed'))
      return true;
    return now.faults.some(({ id }) => {
      const fault = this.#options.coordinator.getFault(id);
      return fault !== undefined && hasEnded(fault.state);
    });
  }

  async #run(record: TaskRecord, load: PlannedLoad): Promise<LoadReport> {
    for (;;) {
      if (this.#isOver(record)) return { phase: 'closed', endedAtMs: Date.now(), status: null };
      const waitMs = record.startMs - Date.now();
      if (waitMs <= 0) break;
      await this.#sleep(Math.min(waitMs, POLL_MS));
    }
    const refused = await this.#start(record, load);
    return refused ?? this.#watch(record, load);
  }

  /** Until the agent has it. @returns how it ended before it began. */
  async #start(record: TaskRecord, load: PlannedLoad): Promise<LoadReport | undefined> {
    const { spec } = load;
    for (;;) {
      const answer = await this.#ask(load, 'start');
      const now = { endedAtMs: Date.now(), status: null };
      if (typeof answer === 'string') {
        const error = `${load.node}: ${answer}`;
        if (this.#isOver(record)) return { phase: 'closed', ...now };
        if (Date.now() > spec.endAtMs) return { phase: 'failed', error, ...now };
        await this.#sleep(RETRY_MS);
        continue;
      }
      if (answer.status < 400) return undefined;
      return { phase: 'failed', error: `${load.node}: ${saidBy(answer)}`, ...now };
    }
  }

  async #watch(record: TaskRecord, load: PlannedLoad): Promise<LoadReport> {
    let last: LoadReport = { phase: 'running', status: null };
    let heardMs = Date.now();
    let told = false;
    for (;;) {
      const answer = await this.#ask(load, 'look');
      if (typeof answer !== 'string' && answer.status < 500) {
        heardMs = Date.now();
        if (answer.status >= 400) return failed(load, last, saidBy(answer));
        const status = answer.body as BenchStatus;
        last = reportOf(load, status);
        if (last.phase !== 'running') return last;
        if (status.phase === 'running') this.#note(record.id, load.node, last);
      } else if (Date.now() > Math.max(heardMs, load.spec.endAtMs) + SILENCE_MS)
        return failed(load, last, `nothing was heard of it: ${JSON.stringify(answer)}`);
      if (!told && this.#isOver(record)) {
        if (!this.#current(record)) return last;
        const closed = await this.#ask(load, 'close');
        told = typeof closed !== 'string' && closed.status < 400;
      }
      await this.#sleep(POLL_MS);
    }
  }

  #note(taskId: string, node: NodeName, report: LoadReport): void {
    const reports = this.#reports.get(taskId) ?? new Map<NodeName, LoadReport>();
    this.#reports.set(taskId, reports.set(node, report));
  }

  /** What the agent keeps of it goes; where it can't be reached now, it goes when its limit is met. */
  async #clear(load: PlannedLoad): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const answer = await this.#ask(load, 'clear');
      if (typeof answer !== 'string') return;
      await this.#sleep(RETRY_MS);
    }
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal, ref: false });
  }

  /** @returns the answer, or why there is none. */
  async #ask(load: PlannedLoad, request: LoadRequest): Promise<AgentAnswer | string> {
    const { coordinator, foreign } = this.#options;
    this.#closing.signal.throwIfAborted();
    try {
      if (load.spec.kind === WORKER_KIND) return await foreign.request(load, request, REQUEST_MS);
      const { method, path, body } = asked(load, request);
      const at = `/v1/workloads${path}`;
      return await coordinator.agentRequest(load.node, method, at, body, REQUEST_MS);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return error.message;
    }
  }
}

/** What an agent of ours is asked. */
function asked(
  { id, spec }: PlannedLoad,
  request: LoadRequest,
): { method: string; path: string; body?: unknown } {
  switch (request) {
    case 'start':
      return { method: 'POST', path: '', body: { id, kind: spec.kind, spec } };
    case 'look':
      return { method: 'GET', path: `/${id}` };
    case 'close':
      return { method: 'POST', path: `/${id}/close` };
    case 'clear':
      return { method: 'DELETE', path: `/${id}` };
  }
}

function failed({ node }: PlannedLoad, last: LoadReport, why: string): LoadReport {
  return { ...last, phase: 'failed', error: `${node}: ${why}`, endedAtMs: Date.now() };
}

function reportOf({ node }: PlannedLoad, status: BenchStatus): LoadReport {
  const { phase, startedAtMs } = status;
  const report: LoadReport = {
    phase: phase === 'starting' ? 'running' : phase,
    startedAtMs,
    status: status.status,
  };
  if (status.endedAtMs !== undefined) report.endedAtMs = status.endedAtMs;
  if (status.error !== undefined) report.error = `${node}: ${status.error}`;
  return report;
}

function saidBy({ status, body }: AgentAnswer): string {
  const { detail, problems = [] } = (body ?? {}) as {
    detail?: string;
    problems?: { message: string }[];
  };
  const said = problems.map(({ message }) => message);
  return said.length > 0 ? said.join('; ') : (detail ?? `the agent answered ${status}`);
}
