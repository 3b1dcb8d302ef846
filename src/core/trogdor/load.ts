import type { BenchSpec } from '../workloads/bench-spec.ts';
import type { NodeName } from '../model/topology.ts';
import type { FaultView } from './progress.ts';
import { loadOf, shownSpec } from './spec.ts';
import type { TaskSpec } from './task-class.ts';

/** The kind of a load that is a worker of an agent of Trogdor's own, whatever its class. */
export const WORKER_KIND = 'trogdor-worker';

/** A load of a task on one node, as its agent is told. */
export interface PlannedLoad {
  node: NodeName;
  /** Of the workload on that node, or of the worker. */
  id: string;
  spec: BenchSpec;
}

/** What is known of a load: of what is there, its own word; of what is not, what became of it. */
export interface LoadReport {
  phase: 'running' | 'closed' | 'failed';
  startedAtMs?: number;
  endedAtMs?: number;
  error?: string;
  status: unknown;
}

/** The loads of a new task or worker; none where its class means faults. */
export function planLoads(
  spec: TaskSpec,
  taskId: string,
  nodes: readonly NodeName[],
  at: { id: string; endAtMs: number },
): PlannedLoad[] {
  const load = loadOf(spec);
  if (load === undefined) return [];
  const { id, endAtMs } = at;
  const { kind, params } = load;
  const bench = { kind, run: id, task: taskId, endAtMs, params };
  return nodes.map((node) => ({ node, id, spec: bench }));
}

/**
 * The workers of a new task on agents of Trogdor's own, which take its spec as it is.
 * @param ids by node, decimal.
 */
export function planWorkers(
  spec: TaskSpec,
  taskId: string,
  ids: ReadonlyMap<NodeName, string>,
  at: { startMs: number; endAtMs: number },
): PlannedLoad[] {
  const params = shownSpec(spec, at.startMs) as Record<string, unknown>;
  const worker = { kind: WORKER_KIND, task: taskId, endAtMs: at.endAtMs, params };
  return [...ids].map(([node, id]) => ({ node, id, spec: { ...worker, run: id } }));
}

/** How it counts among the faults of its task. @param isStopped its end was asked for. */
export function loadView(report: LoadReport | undefined, isStopped: boolean): FaultView {
  if (!report) return { state: isStopped ? 'cancelled' : 'pending' };
  const view: FaultView = { state: 'active' };
  if (report.phase === 'closed') view.state = 'healed';
  else if (report.phase === 'failed') view.state = 'failed';
  else if (isStopped) view.state = 'healing';
  if (report.startedAtMs !== undefined) view.firedAtMs = report.startedAtMs;
  if (report.endedAtMs !== undefined) view.endedAtMs = report.endedAtMs;
  if (report.error !== undefined) view.error = report.error;
  return view;
}

/** All loads of a task: one that is through while others go on does not end the task. */
export function loadViews(
  reports: readonly (LoadReport | undefined)[],
  isStopped: boolean,
): FaultView[] {
  const views = reports.map((report) => loadView(report, isStopped));
  const goOn = reports.some((report) => report?.phase === 'running');
  const isEnding = isStopped || reports.some((report) => report?.phase === 'failed');
  if (!goOn || isEnding) return views;
  return views.map((view) => (view.state === 'healed' ? { ...view, state: 'active' } : view));
}
