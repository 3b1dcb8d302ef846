import { randomBytes } from 'node:crypto';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { NodeName } from '../../core/model/topology.ts';
import type { TrogdorNode } from '../../core/trogdor/config.ts';
import { parseExactJson } from '../../core/trogdor/json.ts';
import type { PlannedLoad } from '../../core/trogdor/load.ts';
import type { BenchStatus } from '../../core/workloads/bench-spec.ts';
import type { AgentAnswer } from '../coordinator/api.ts';
import { urlHost } from '../http/listen.ts';

/** What the agent of a load is asked for. */
export type LoadRequest = 'start' | 'look' | 'close' | 'clear';

/** Workers of one agent that are looked at within this time share an answer: each has them all. */
const SHARED_MS = 200;

/** A worker as GET /agent/status of Trogdor's agents has it. */
interface Worker {
  state: string;
  startedMs?: number;
  doneMs?: number;
  status?: unknown;
  error?: string;
}

type Workers = Record<string, Worker>;

/** Agents of Trogdor's own, which are asked in its protocol what ours are asked in ours. */
export class ForeignAgents {
  readonly #urls: ReadonlyMap<NodeName, string>;
  readonly #looks = new Map<NodeName, { atMs: number; workers: Promise<Workers> }>();

  constructor(nodes: readonly TrogdorNode[]) {
    const url = ({ hostname, agentPort }: TrogdorNode): string =>
      `http://${urlHost(hostname)}:${agentPort}/agent`;
    this.#urls = new Map(nodes.map((node) => [node.name, url(node)]));
  }

  get nodes(): NodeName[] {
    return [...this.#urls.keys()];
  }

  /** One a node that nobody has had yet; their agents keep 63 bits. */
  newWorkerIds(): Map<NodeName, string> {
    const fresh = (): string => BigInt.asUintN(63, randomBytes(8).readBigUInt64BE()).toString();
    return new Map(this.nodes.map((node) => [node, fresh()]));
  }

  /** @returns an answer as one of our agents would give. @throws Failure: the agent can't be reached. */
  async request(load: PlannedLoad, request: LoadRequest, timeoutMs: number): Promise<AgentAnswer> {
    const { node, id, spec } = load;
    const ask = (method: string, path: string, body?: string) =>
      this.#ask(node, { method, path, timeoutMs, ...(body === undefined ? {} : { body }) });
    switch (request) {
      case 'start': {
        // By hand: as a number of JavaScript's the id would lose its last bits.
        const rest = JSON.stringify({ taskId: spec.task, spec: spec.params });
        const answer = await ask('POST', '/worker/create', `{"workerId":${id},${rest.slice(1)}`);
        // What was seen before knew nothing of it.
        this.#looks.delete(node);
        return answer;
      }
      case 'look':
        return this.#look(load, timeoutMs);
      case 'close':
        return ask('PUT', '/worker/stop', `{"workerId":${id}}`);
      case 'clear':
        return ask('DELETE', `/worker?workerId=${id}`);
    }
  }

  async #look(load: PlannedLoad, timeoutMs: number): Promise<AgentAnswer> {
    const nowMs = performance.now();
    const last = this.#looks.get(load.node);
    const isFresh = last !== undefined && nowMs - last.atMs < SHARED_MS;
    const workers = isFresh ? last.workers : this.#workersOf(load.node, timeoutMs);
    if (!isFresh) this.#looks.set(load.node, { atMs: nowMs, workers });
    const worker = (await workers)[load.id];
    if (worker) return { status: 200, body: statusOf(load, worker) };
    const detail = 'its agent was started anew; what the worker had done may still stand there';
    return { status: 404, body: { detail } };
  }

  async #workersOf(node: NodeName, timeoutMs: number): Promise<Workers> {
    const { status, body } = await this.#ask(node, { method: 'GET', path: '/status', timeoutMs });
    if (status === 200) return (body as { workers?: Workers } | null)?.workers ?? {};
    throw new Failure('no-agent', `the agent answered ${status}`, { definite: true });
  }

  async #ask(
    node: NodeName,
    request: { method: string; path: string; timeoutMs: number; body?: string },
  ): Promise<AgentAnswer> {
    const { method, path, body, timeoutMs } = request;
    const url = this.#urls.get(node);
    if (url === undefined) {
      const says = `nothing says any more where the agent of Trogdor's of '${node}' is`;
      throw new Failure('no-agent', says, { definite: true });
    }
    try {
      const answer = await fetch(`${url}${path}`, {
        method,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
      });
      const read = parseExactJson(await answer.text());
      const said = read.ok ? read.value : undefined;
      if (answer.ok) return { status: answer.status, body: said };
      const { message } = (said ?? {}) as { message?: string };
      return { status: answer.status, body: message === undefined ? {} : { detail: message } };
    } catch (error) {
      const why = reasonOf((error as Error).cause ?? error);
      throw new Failure('no-agent', `${url} does not answer: ${why}`, { definite: false });
    }
  }
}

/** As the benches of our agents say it. */
function statusOf({ id, spec }: PlannedLoad, worker: Worker): BenchStatus {
  const { state, startedMs = 0, doneMs, status = null, error = '' } = worker;
  const ended = error === '' ? 'closed' : 'failed';
  const begun = state === 'STARTING' ? 'starting' : 'running';
  const now: BenchStatus = {
    kind: spec.kind,
    run: id,
    phase: state === 'DONE' ? ended : begun,
    updatedAtMs: Date.now(),
    startedAtMs: startedMs,
    status,
  };
  if (doneMs !== undefined) now.endedAtMs = doneMs;
  if (error !== '') now.error = error;
  return now;
}
