import { formatDuration } from '../base/duration.ts';
import type { AgentContext, AgentFaultRequest } from '../model/fault-request.ts';
import type { AgentFaultStatus } from '../model/fault-status.ts';
import { loadView, planLoads, type LoadReport, type PlannedLoad } from './load.ts';
import { progressOf, type FaultView } from './progress.ts';
import { faultsHere, shownSpec, wordsOf } from './spec.ts';
import type { AgentHere, TaskSpec } from './task-class.ts';

/** A worker as the agent keeps it: as long as its process lives, like the agent's other reports. */
export interface WorkerRecord {
  /** Decimal: it has 63 bits. */
  workerId: string;
  taskId: string;
  spec: TaskSpec;
  createdMs: number;
  faults: AgentFaultRequest[];
  /** Of a class that is a load. */
  load?: PlannedLoad;
  /** How that ended. */
  loadEnd?: LoadReport;
  stopped: boolean;
  /** All faults were asked for: one that the agent no longer knows has ended long ago. */
  begun: boolean;
  /** What the agent answered where it refused. */
  refused?: string;
}

/** Owner of the faults that workers mean: nobody's reconciliation but Trogdor's touches them. */
export const WORKER_OWNER = 'trogdor';

/**
 * The faults of a new worker, which end when the spec says: startMs + durationMs by the wall clock.
 * @param unique text that no other worker's faults have; @param nodes of the topology, with agents.
 */
export function planWorker(
  worker: { workerId: string; taskId: string; spec: TaskSpec },
  here: Pick<AgentHere, 'node' | 'meets'> & Pick<AgentContext, 'topology' | 'coordinatorAddresses'>,
  at: { nowMs: number; unique: string },
): WorkerRecord {
  const { workerId, taskId, spec } = worker;
  const all = here.topology.nodes.map((node) => node.name);
  const leftMs = Math.max(spec.startMs, 0) + spec.durationMs - at.nowMs;
  const base = `trogdor-${workerId.replace('-', 'm')}-${at.unique}`;
  const faults = faultsHere(spec, { ...here, all }).map((fault, index): AgentFaultRequest => ({
    id: index === 0 ? base : `${base}-${index + 1}`,
    kind: fault.kind,
    params: fault.params,
    ...(fault.targets ? { targets: fault.targets } : {}),
    duration: formatDuration(leftMs),
    // Trogdor's coordinators renew nothing: the deadline is what ends it without them.
    lease: 'none',
    reason: `worker of task ${JSON.stringify(taskId)} of Trogdor's protocol`.slice(0, 500),
    context: {
      owner: WORKER_OWNER,
      instance: 1,
      topology: here.topology,
      selected: fault.targets ?? [],
      coordinatorAddresses: here.coordinatorAddresses,
      armOnly: false,
      seed: '0',
    },
  }));
  const record: WorkerRecord = {
    ...worker,
    createdMs: at.nowMs,
    faults: leftMs > 0 ? faults : [],
    stopped: false,
    begun: false,
  };
  if (leftMs <= 0) return { ...record, refused: 'worker expired' };
  // Not of this moment: an agent that comes back finds the load that it has.
  const id = `trogdor-worker-${workerId.replace('-', 'm')}`;
  const endAtMs = Math.max(spec.startMs, 0) + spec.durationMs;
  const [load] = planLoads(spec, taskId, [here.node], { id, endAtMs });
  return load === undefined ? record : { ...record, load };
}

/** @param wallOf the wall clock at an instant of the node's boot clock. */
function viewOf(
  fault: AgentFaultStatus | undefined,
  begun: boolean,
  wallOf: (bootMs: number) => number,
): FaultView {
  if (!fault) return { state: begun ? 'healed' : 'arming' };
  const view: FaultView = { state: fault.state };
  if (fault.firedAtBootMs !== undefined) view.firedAtMs = wallOf(fault.firedAtBootMs);
  if (fault.endedAtBootMs !== undefined) view.endedAtMs = wallOf(fault.endedAtBootMs);
  if (fault.endedBy) view.endedBy = fault.endedBy;
  if (fault.error !== undefined) view.error = fault.error;
  return view;
}

/**
 * A worker as GET /agent/status shows it.
 * @param strict as Trogdor does, a load is RUNNING once its worker was made, whatever it has reached.
 */
export function workerState(
  record: WorkerRecord,
  faults: readonly (AgentFaultStatus | undefined)[],
  wallOf: (bootMs: number) => number,
  report?: LoadReport,
  strict = false,
): { state: string; [member: string]: unknown } {
  const { taskId, createdMs, refused } = record;
  const spec = shownSpec(record.spec, record.spec.startMs);
  const of = { taskId, spec };
  if (refused !== undefined) {
    const [startedMs, doneMs] = [createdMs, createdMs];
    return { state: 'DONE', ...of, startedMs, doneMs, status: null, error: refused };
  }
  const views = faults.map((fault) => viewOf(fault, record.begun, wallOf));
  if (record.load) views.push(loadView(report, record.stopped));
  const progress = progressOf(views, record.stopped, createdMs);
  const own = wordsOf(taskId, record.spec);
  const said = report?.status ?? null;
  const words = record.load ? { active: said, ended: said } : own;
  switch (progress.phase) {
    case 'waiting':
      if (strict && record.load && record.begun)
        return { state: 'RUNNING', ...of, startedMs: createdMs, status: said };
      return { state: 'STARTING', ...of };
    case 'running':
      return { state: 'RUNNING', ...of, startedMs: progress.startedMs, status: words.active };
    case 'stopping':
      return { state: 'STOPPING', ...of, startedMs: progress.startedMs, status: words.active };
    case 'done': {
      const { startedMs = createdMs, doneMs, error } = progress;
      const done = { state: 'DONE', ...of, startedMs, doneMs, status: words.ended };
      return error === undefined ? done : { ...done, error };
    }
  }
}
