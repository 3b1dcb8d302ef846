import type { Readable } from 'node:stream';
import { reasonOf } from '../../core/base/failure.ts';
import { fnv1a64 } from '../../core/base/hash.ts';
import { Random } from '../../core/base/random.ts';
import { readTargets, resolveSelector } from '../../core/coordinator/selectors.ts';
import type { RunStatus } from '../../core/model/run.ts';
import type { NodeName, Topology } from '../../core/model/topology.ts';
import type { ControllerAddress } from '../../core/workloads/spec.ts';
import type { WorkloadStatus } from '../../core/workloads/status.ts';
import type { CoordinatorApi } from './api.ts';
import { HttpProblem } from '../http/http-problem.ts';

const POLL_MS = 700;
const REQUEST_MS = 3_000;

/** The node that shall run the workload of a run. @throws HttpProblem 422 where none can. */
export function workloadNode(coordinator: CoordinatorApi, run: RunStatus): NodeName {
  const { topology } = coordinator;
  const on = run.scenario.workload?.on;
  const able = topology.nodes.filter((node) => node.agent !== undefined);
  if (on === undefined) {
    const node = able.find(({ roles }) => roles.includes('client')) ?? able[0];
    if (node !== undefined) return node.name;
    throw new HttpProblem(422, 'no node has an agent that could run the workload');
  }
  const selector = readTargets(on);
  const snapshot = coordinator.clusterSnapshot();
  const world = snapshot === undefined ? { topology } : { topology, snapshot };
  const names = selector.ok
    ? resolveSelector(selector.value, world, new Random(fnv1a64(run.id)))
    : selector;
  if (!names.ok) throw new HttpProblem(422, 'workload.on names no node', names);
  const name = names.value.find((each) => able.some((node) => node.name === each));
  if (name !== undefined) return name;
  throw new HttpProblem(422, `workload.on names ${names.value.join(', ')}: none has an agent`);
}

/** Where each controller can be asked itself, as far as cluster.yaml says so. */
function controllersOf({ nodes }: Topology): ControllerAddress[] {
  return nodes.flatMap(({ name, roles, kafkaId, addresses: [host], listeners }) => {
    const port = listeners?.find(({ purpose }) => purpose === 'controller')?.port;
    if (!roles.includes('controller') || kafkaId === undefined) return [];
    return host === undefined || port === undefined
      ? []
      : [{ node: name, id: kafkaId, host, port }];
  });
}

/** The workload of a run, through the agent of its node. It lives on whatever happens to us. */
export class RunWorkload {
  readonly node: NodeName;
  readonly #coordinator: CoordinatorApi;
  readonly #run: RunStatus;
  readonly #unsubscribe: () => void;
  #status: WorkloadStatus | undefined;
  #askedAtMs = 0;
  #offsetMs = Number.POSITIVE_INFINITY;
  /** Why the agent could not do what it was told, last time. */
  error: string | undefined;

  constructor(coordinator: CoordinatorApi, run: RunStatus, node: NodeName) {
    this.node = node;
    this.#coordinator = coordinator;
    this.#run = run;
    this.#unsubscribe = coordinator.onWorkload((from, id, status) => {
      if (from === node && id === run.id) this.#take(status as WorkloadStatus);
    });
  }

  close(): void {
    this.#unsubscribe();
  }

  get status(): WorkloadStatus | undefined {
    return this.#status;
  }

  /** Our wall clock minus the node's, ms; 0 where they agree as far as could be seen. */
  get clockOffsetMs(): number {
    const offsetMs = this.#offsetMs;
    return Number.isFinite(offsetMs) && Math.abs(offsetMs) > 2_000 ? Math.round(offsetMs) : 0;
  }

  #take(status: WorkloadStatus): void {
    this.#status = status;
    // The youngest status ever seen is the best witness of how far apart the clocks are.
    this.#offsetMs = Math.min(this.#offsetMs, Date.now() - status.updatedAtMs);
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.#coordinator.agentRequest(this.node, method, path, body, REQUEST_MS);
    if (answer.status < 400) return answer.body;
    const { detail } = (answer.body ?? {}) as { detail?: string };
    throw new HttpProblem(answer.status, detail ?? `the agent answered ${answer.status}`);
  }

  /** Asks for the status, at most every 700 ms; what cannot be had stays as it was. */
  async poll(nowMs: number): Promise<void> {
    if (nowMs - this.#askedAtMs < POLL_MS) return;
    this.#askedAtMs = nowMs;
    try {
      this.#take((await this.#ask('GET', `/v1/workloads/${this.#run.id}`)) as WorkloadStatus);
    } catch (error) {
      // Not there yet, or its node cannot be reached: the phases have their patience.
      this.error = reasonOf(error);
    }
  }

  start(): Promise<unknown> {
    const { kafka } = this.#coordinator.cluster;
    const { workload, id } = { ...this.#run.scenario, id: this.#run.id };
    if (workload === undefined || kafka === undefined) {
      throw new HttpProblem(422, 'cluster.yaml has no kafka.bootstrap: the workload needs it');
    }
    const controllers = controllersOf(this.#coordinator.topology);
    const spec = {
      kind: workload.kind,
      run: id,
      kafka,
      controllers,
      params: workload.params ?? {},
    };
    return this.#ask('POST', '/v1/workloads', { id, kind: workload.kind, spec });
  }

  command(command: 'stop' | 'finalRead' | 'close'): Promise<unknown> {
    return this.#ask('POST', `/v1/workloads/${this.#run.id}/${command}`);
  }

  file(name: 'history' | 'series'): Promise<Readable> {
    const path = `/v1/workloads/${this.#run.id}/files/${name}`;
    return this.#coordinator.agentStream(this.node, path);
  }
}
