import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sameJson } from '../../core/base/canonical-json.ts';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { nearMiss } from '../../core/base/near-miss.ts';
import { describeProblem, type Problem } from '../../core/base/problem.ts';
import { checkRequest } from '../../core/coordinator/admission.ts';
import { kindNamed } from '../../core/faults/registry.ts';
import { hasEnded } from '../../core/model/lifecycle.ts';
import type { NodeName } from '../../core/model/topology.ts';
import { WORKER_KIND } from '../../core/trogdor/load.ts';
import { strictState } from '../../core/trogdor/strict.ts';
import type { TaskSpec } from '../../core/trogdor/task-class.ts';
import {
  expiresAtOnce,
  planTask,
  taskState,
  type TaskRecord,
  type TaskState,
} from '../../core/trogdor/task.ts';
import type { CoordinatorApi, Table } from '../coordinator/api.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { ForeignAgents } from './foreign-agents.ts';
import { TaskLoads } from './task-loads.ts';
import { refused, TrogdorError } from './trogdor-error.ts';

const TABLE = 'trogdor-tasks';
/** Tasks that have ended are forgotten, the oldest first, beyond this many; more that go on are refused. */
const TASKS_MAX = 10_000;
/** A coordinator that has just started is given this long to reach the agents that would act. */
const FIRST_LINKS_MS = 30_000;
const LINK_POLL_MS = 50;

/**
 * Trogdor's tasks on our faults: each is a record beside the faults it means, and its state is worked
 * out of theirs whenever somebody asks.
 */
export class CoordinatorTasks {
  readonly #coordinator: CoordinatorApi;
  readonly #table: Table<TaskRecord>;
  /** Oldest first. */
  readonly #records = new Map<string, TaskRecord>();
  /** States of tasks that have ended: they never change. */
  readonly #done = new Map<string, TaskState>();

  readonly #isLinked: (node: NodeName) => boolean;
  readonly #linkedByMs = performance.now() + FIRST_LINKS_MS;

  readonly #most: number;
  readonly #foreign: ForeignAgents;
  readonly #loads: TaskLoads;

  readonly #strict: boolean;

  /**
   * @param more.most tasks that may be kept; @param more.foreign agents of Trogdor's own;
   * @param more.strict shows states when Trogdor would.
   */
  constructor(
    coordinator: CoordinatorApi,
    isLinked: (node: NodeName) => boolean,
    more: { most?: number; foreign?: ForeignAgents; strict?: boolean } = {},
  ) {
    this.#most = more.most ?? TASKS_MAX;
    this.#foreign = more.foreign ?? new ForeignAgents([]);
    this.#strict = more.strict ?? false;
    this.#coordinator = coordinator;
    this.#isLinked = isLinked;
    this.#loads = new TaskLoads({
      coordinator,
      foreign: this.#foreign,
      record: (id) => this.#records.get(id),
      ended: (id, node, end) => {
        const record = this.#records.get(id);
        if (!record) return;
        this.#note({ ...record, ends: { ...record.ends, [node]: end } });
        if (end.phase === 'failed') this.#healAll(record);
      },
    });
    this.#table = coordinator.table<TaskRecord>(TABLE);
    for (const { id, value } of this.#table.list().toReversed()) this.#records.set(id, value);
    coordinator.onEvent(({ type, fault }) => {
      if (type === 'fault.failed' && fault !== undefined) this.#endTaskOf(fault);
    });
  }

  close(): void {
    this.#loads.close();
  }

  /** After a restart: faults that were to be created, and were not. */
  start(): void {
    for (const record of this.#records.values()) {
      const isMissing = record.faults.some(({ id }) => !this.#coordinator.getFault(id));
      if (isMissing && !record.failed) void this.#inject(record);
      if (!expiresAtOnce(record.spec)) this.#loads.follow(record);
    }
  }

  /** @throws TrogdorError 400 with every problem; 409: another spec has this id. */
  create(id: string, spec: TaskSpec): void {
    const known = this.#records.get(id);
    if (known) {
      if (sameJson(known.spec, spec)) return;
      throw new TrogdorError(409, `task '${id}' exists already, with another spec`);
    }
    const nowMs = Date.now();
    const unique = randomBytes(4).toString('hex');
    const workerIds = this.#foreign.newWorkerIds();
    const record = planTask(id, spec, this.#nodes(), { nowMs, unique, workerIds });
    // What is wrong with a spec is wrong whoever's agents would carry it out.
    const { faults } = planTask(id, spec, this.#nodes(), { nowMs, unique });
    const problems = this.#problems({ ...record, faults }, nowMs);
    if (problems.length === 0) problems.push(...notSplit(record));
    if (problems.length > 0) throw refused(problems);
    if (this.#coordinator.halted)
      throw new TrogdorError(409, "everything was healed; 'faultline resume' allows tasks again");
    if (!this.#hasRoom()) {
      const says = `${this.#most} tasks have not ended; destroy some of them first`;
      throw new TrogdorError(503, says);
    }
    this.#save(record);
    void this.#inject(record);
    if (!expiresAtOnce(spec)) this.#loads.follow(record);
  }

  /** Every node that has an agent. */
  #nodes(): string[] {
    const { nodes } = this.#coordinator.topology;
    const own = nodes.filter((node) => node.agent !== undefined).map((node) => node.name);
    return [...own, ...this.#foreign.nodes];
  }

  #problems(record: TaskRecord, nowMs: number): Problem[] {
    if (record.nodes.length === 0) return [{ path: '/spec', message: 'no node names are given' }];
    const { topology } = this.#coordinator;
    const seen = new Map<string, Problem>();
    const able = this.#nodes();
    for (const { node } of record.loads ?? [])
      if (!able.includes(node)) {
        const message = `there is no node '${node}' with an agent`;
        seen.set(message, { path: '/spec', message, ...nearest(node, able) });
      }
    for (const fault of record.faults)
      for (const problem of checkRequest(fault, topology, nowMs))
        seen.set(problem.message, { ...problem, path: '/spec' });
    return [...seen.values()];
  }

  #save(record: TaskRecord): void {
    this.#table.put(record.id, record);
    this.#records.set(record.id, record);
  }

  /** What has happened is so, whatever the disk says. */
  #note(record: TaskRecord): void {
    this.#records.set(record.id, record);
    try {
      this.#table.put(record.id, record);
    } catch (error) {
      // A full disk: the next coordinator finds out anew.
      if (!(error instanceof Failure)) throw error;
    }
  }

  /** Makes room for one more, where one that has ended can be forgotten. */
  #hasRoom(): boolean {
    if (this.#records.size < this.#most) return true;
    for (const id of this.#records.keys()) {
      if (this.#truth(id)?.state !== 'DONE') continue;
      this.#forget(id);
      return true;
    }
    return false;
  }

  #forget(id: string): void {
    this.#table.delete(id);
    this.#records.delete(id);
    this.#done.delete(id);
  }

  /** Creates the faults. What stands in the way is the task's error: it was accepted already. */
  async #inject(record: TaskRecord): Promise<void> {
    if (expiresAtOnce(record.spec)) return;
    await this.#linked(record);
    for (const fault of record.faults) {
      try {
        if (this.#isOver(record)) return;
        await this.#coordinator.createFault(fault);
        // Its end may have been asked for while it was on its way.
        if (this.#isOver(record)) return this.#healAll(record);
      } catch (error) {
        this.#healAll(record);
        // One that its agents refused is there, and says so itself.
        const now = this.#records.get(record.id);
        if (this.#coordinator.getFault(fault.id) || now?.faults[0]?.id !== record.faults[0]?.id)
          return;
        if (now) this.#note({ ...now, failed: { error: whyNot(error), atMs: Date.now() } });
        return;
      }
    }
  }

  /** Scripts create tasks as soon as the coordinator answers: before it has reached its agents. */
  async #linked(record: TaskRecord): Promise<void> {
    const { topology } = this.#coordinator;
    const actors = record.faults.flatMap(({ kind, params = {}, targets }) => {
      const selected = Array.isArray(targets) ? targets : [];
      // Whichever way they will take, which is not known before they are there.
      return [true, false].flatMap(
        (able) => kindNamed(kind)?.actors(params, topology, selected, () => able) ?? [],
      );
    });
    while (!actors.every((node) => this.#isLinked(node))) {
      if (performance.now() > this.#linkedByMs || this.#isOver(record)) return;
      await sleep(LINK_POLL_MS);
    }
  }

  /** Stopped or forgotten meanwhile. */
  #isOver({ id, faults }: TaskRecord): boolean {
    const now = this.#records.get(id);
    return now?.faults[0]?.id !== faults[0]?.id || now?.stoppedMs !== undefined;
  }

  #healAll(record: TaskRecord): void {
    for (const { id } of record.faults) {
      const fault = this.#coordinator.getFault(id);
      if (fault && !hasEnded(fault.state)) this.#coordinator.healFault(id);
    }
  }

  /** The first error ends a task everywhere. */
  #endTaskOf(fault: string): void {
    if (!fault.startsWith('trogdor-')) return;
    for (const record of this.#records.values())
      if (record.faults.some(({ id }) => id === fault)) this.#healAll(record);
  }

  /** Also of a task nobody knows, or one that has ended: then nothing happens. */
  stop(id: string): void {
    const record = this.#records.get(id);
    if (!record || record.stoppedMs !== undefined || this.#truth(id)?.state === 'DONE') return;
    this.#note({ ...record, stoppedMs: Date.now() });
    this.#healAll(record);
  }

  /** Forgets the task; what it does ends. */
  destroy(id: string): void {
    const record = this.#records.get(id);
    if (!record) return;
    // First, whatever the disk says to the rest.
    this.#records.set(id, { ...record, stoppedMs: record.stoppedMs ?? Date.now() });
    this.#healAll(record);
    this.#forget(id);
  }

  get(id: string): TaskState | undefined {
    const [record, truth] = [this.#records.get(id), this.#truth(id)];
    return record && truth && this.#strict ? strictState(record, truth, Date.now()) : truth;
  }

  #truth(id: string): TaskState | undefined {
    const record = this.#records.get(id);
    const done = this.#done.get(id);
    if (done || !record) return done;
    const faults = record.faults.map((fault) => this.#coordinator.getFault(fault.id));
    const state = taskState(record, faults, Date.now(), this.#loads.reports(id));
    if (state.state === 'DONE') this.#done.set(id, state);
    return state;
  }

  list(): [string, TaskState][] {
    return [...this.#records.keys()].flatMap((id): [string, TaskState][] => {
      const state = this.get(id);
      return state ? [[id, state]] : [];
    });
  }
}

/** A fault that names its own nodes is one thing: our agents arm it together, and Trogdor's can't. */
function notSplit({ faults, loads = [] }: TaskRecord): Problem[] {
  const foreign = loads.filter(({ spec }) => spec.kind === WORKER_KIND).map(({ node }) => node);
  if (foreign.length === 0 || faults.every(({ targets }) => targets !== undefined)) return [];
  const message = `of its nodes ${foreign.join(', ')} have agents of Trogdor's, others have ours`;
  return [{ path: '/spec', message, expected: 'agents of one kind' }];
}

function nearest(node: string, able: readonly string[]): { nearMiss?: string } {
  const near = nearMiss(node, able);
  return near === undefined ? {} : { nearMiss: near };
}

function whyNot(error: unknown): string {
  if (!(error instanceof HttpProblem)) return reasonOf(error);
  const problems = error.options.problems ?? [];
  return problems.length > 0 ? problems.map(describeProblem).join('; ') : error.message;
}
