import { formatDuration } from '../base/duration.ts';
import { formatInstant, parseInstant } from '../base/instant.ts';
import type { FaultRequest } from '../model/fault-request.ts';
import type { FaultStatus } from '../model/fault-status.ts';
import type { NodeName } from '../model/topology.ts';
import { loadViews, planLoads, planWorkers, type LoadReport, type PlannedLoad } from './load.ts';
import { progressOf, type FaultView } from './progress.ts';
import { faultsOf, nodesOf, shownSpec, wordsOf } from './spec.ts';
import type { TaskSpec } from './task-class.ts';

/** A task as the coordinator keeps it, durable: what was asked, and the faults that do it. */
export interface TaskRecord {
  id: string;
  spec: TaskSpec;
  /** spec.startMs, or when it was created where that is past. */
  startMs: number;
  nodes: NodeName[];
  /** Not created where the duration is 0: then it expires when it would start. */
  faults: FaultRequest[];
  /** Of a class that is a load, one a node that takes part; of any class, where the agent is Trogdor's. */
  loads?: PlannedLoad[];
  /** By node, what became of those that have ended. */
  ends?: Record<NodeName, LoadReport>;
  /** When somebody asked for its end. */
  stoppedMs?: number;
  /** Its faults could not even be created. */
  failed?: { error: string; atMs: number };
}

/** A start this near is at once: a later one is the core's to wait for. */
const SOON_MS = 100;

/** Trogdor's ids are any text; a fault's id says which task it is, as far as its letters go. */
function slugOf(taskId: string): string {
  const slug = taskId.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return slug
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 30)
    .replace(/-$/, '');
}

/**
 * The record of a new task, with the faults it means.
 * @param all the nodes that have an agent; @param at.unique text that no other task's faults have;
 * @param at.workerIds by node whose agent is one of Trogdor's own, the id of the worker it would get.
 */
export function planTask(
  id: string,
  spec: TaskSpec,
  all: readonly NodeName[],
  at: { nowMs: number; unique: string; workerIds?: ReadonlyMap<NodeName, string> },
): TaskRecord {
  const nodes = nodesOf(spec, all);
  const workerIds = new Map([...(at.workerIds ?? [])].filter(([node]) => nodes.includes(node)));
  const own = nodes.filter((node) => !workerIds.has(node));
  const startMs = Math.max(spec.startMs, at.nowMs);
  const base = ['trogdor', slugOf(id), at.unique].filter((part) => part !== '').join('-');
  const means = own.length === 0 ? [] : faultsOf(spec, all);
  const faults = means.flatMap((fault, index): FaultRequest[] => {
    const targets = fault.targets?.filter((node) => !workerIds.has(node));
    if (targets?.length === 0) return [];
    const request: FaultRequest = {
      id: index === 0 ? base : `${base}-${index + 1}`,
      kind: fault.kind,
      params: fault.params,
      reason: `task ${JSON.stringify(id)} of Trogdor's protocol`.slice(0, 500),
      // Trogdor knows no quorum; what its specs always could do, they can. Other limits hold.
      override: { limits: ['quorum'], reason: 'asked for in the protocol of Trogdor' },
    };
    if (targets) request.targets = targets;
    if (!expiresAtOnce(spec)) request.duration = formatDuration(spec.durationMs);
    if (startMs > at.nowMs + SOON_MS) request.startAt = formatInstant(startMs);
    return [request];
  });
  const record: TaskRecord = { id, spec, startMs, nodes, faults };
  const endAtMs = startMs + spec.durationMs;
  const loads = [
    ...planLoads(spec, id, own, { id: base, endAtMs }),
    ...planWorkers(spec, id, workerIds, { startMs, endAtMs }),
  ];
  if (loads.length > 0) record.loads = loads;
  return record;
}

/** A duration of 0, Trogdor's default, is over when it begins: nothing is done. */
export function expiresAtOnce(spec: TaskSpec): boolean {
  return spec.durationMs === 0;
}

function errorOf(fault: FaultStatus): string | undefined {
  const problems = fault.problems.map((problem) => problem.message);
  const ofNodes = Object.entries(fault.nodes).flatMap(([node, part]) => {
    const said = [part.error ?? [], part.problems.map((problem) => problem.message)].flat();
    return said.map((text) => `${node}: ${text}`);
  });
  const said = [...new Set([...problems, ...ofNodes])];
  return said.length === 0 ? undefined : said.join('; ');
}

function viewOf(fault: FaultStatus | undefined, isStopped: boolean): FaultView {
  // One that was not created before the end was asked for never will be.
  if (!fault) return { state: isStopped ? 'cancelled' : 'pending' };
  const view: FaultView = { state: fault.state };
  const [fired, ended] = [fault.firedAt, fault.endedAt].map((text) => parseInstant(text ?? ''));
  if (fired !== undefined) view.firedAtMs = fired;
  if (ended !== undefined) view.endedAtMs = ended;
  if (fault.endedBy) view.endedBy = fault.endedBy;
  const error = errorOf(fault);
  if (error !== undefined) view.error = error;
  return view;
}

export const TASK_STATES = ['PENDING', 'RUNNING', 'STOPPING', 'DONE'] as const;
export type TaskStateName = (typeof TASK_STATES)[number];

/** A task as GET /coordinator/tasks/{id} shows it, member by member as Trogdor does. */
export interface TaskState {
  state: TaskStateName;
  spec: unknown;
  /** -1: it never started. */
  startedMs?: number;
  doneMs?: number;
  error?: string;
  cancelled?: boolean;
  /** Of one node its words, of several by node. */
  status?: unknown;
}

function statusOf(record: TaskRecord, words: (node: NodeName) => unknown): unknown {
  const [only, ...others] = record.nodes;
  if (only !== undefined && others.length === 0) return words(only);
  return Object.fromEntries(record.nodes.map((node) => [node, words(node)]));
}

function expired(record: TaskRecord, spec: unknown, nowMs: number): TaskState {
  const { startMs, stoppedMs } = record;
  if (stoppedMs !== undefined && stoppedMs < startMs)
    return { state: 'DONE', spec, startedMs: -1, doneMs: stoppedMs, cancelled: true };
  if (nowMs < startMs) return { state: 'PENDING', spec, status: null };
  const status = statusOf(record, () => null);
  const [startedMs, error] = [startMs, 'worker expired'];
  return { state: 'DONE', spec, startedMs, doneMs: startMs, error, cancelled: false, status };
}

/**
 * @param faults the record's, in its order; undefined: not created yet.
 * @param loads what is known of its loads that have not ended, by node.
 */
export function taskState(
  record: TaskRecord,
  faults: readonly (FaultStatus | undefined)[],
  nowMs: number,
  loads: ReadonlyMap<NodeName, LoadReport> = new Map(),
): TaskState {
  const spec = shownSpec(record.spec, record.startMs);
  const cancelled = record.stoppedMs !== undefined;
  if (record.failed) {
    const { error, atMs: doneMs } = record.failed;
    return { state: 'DONE', spec, startedMs: -1, doneMs, error, cancelled };
  }
  if (expiresAtOnce(record.spec)) return expired(record, spec, nowMs);
  const reports = { ...Object.fromEntries(loads), ...record.ends };
  const views = [
    ...faults.map((fault) => viewOf(fault, cancelled)),
    ...loadViews(
      (record.loads ?? []).map(({ node }) => reports[node]),
      cancelled,
    ),
  ];
  const progress = progressOf(views, cancelled, record.stoppedMs ?? record.startMs);
  const words = wordsOf(record.id, record.spec);
  const isLoad = (node: NodeName): boolean =>
    record.loads?.some((load) => load.node === node) === true;
  const said = (node: NodeName, otherwise: string): unknown =>
    isLoad(node) ? (reports[node]?.status ?? null) : otherwise;
  switch (progress.phase) {
    case 'waiting':
      return { state: 'PENDING', spec, status: null };
    case 'running':
    case 'stopping': {
      const state = progress.phase === 'running' ? 'RUNNING' : 'STOPPING';
      const status = statusOf(record, (node) => said(node, words.active));
      return { state, spec, startedMs: progress.startedMs, status };
    }
    case 'done': {
      const { startedMs = -1, doneMs, error } = progress;
      const done: TaskState = { state: 'DONE', spec, startedMs, doneMs };
      if (error !== undefined) done.error = error;
      done.cancelled = cancelled;
      if (startedMs === -1) return done;
      // Not every node of a task has to act itself: what it sends may be met by its peers.
      const fired = (node: NodeName): boolean =>
        isLoad(node) ||
        faults.some((fault) => (fault?.nodes[node] ?? fault)?.firedAt !== undefined);
      const status = statusOf(record, (node) => (fired(node) ? said(node, words.ended) : null));
      return { ...done, status };
    }
  }
}
