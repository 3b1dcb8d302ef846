import { randomBytes } from 'node:crypto';
import { checkRequest } from '../../core/agent/check.ts';
import { latest } from '../../core/agent/state.ts';
import { statusOf } from '../../core/agent/status.ts';
import { sameJson } from '../../core/base/canonical-json.ts';
import { reasonOf } from '../../core/base/failure.ts';
import { describeProblem } from '../../core/base/problem.ts';
import type { AgentFaultRequest } from '../../core/model/fault-request.ts';
import { hasEnded } from '../../core/model/lifecycle.ts';
import type { Need } from '../../core/model/fault.ts';
import type { Node } from '../../core/model/topology.ts';
import type { TrogdorNode } from '../../core/trogdor/config.ts';
import type { TaskSpec } from '../../core/trogdor/task-class.ts';
import { planWorker, workerState, type WorkerRecord } from '../../core/trogdor/worker.ts';
import type { LoadReport } from '../../core/trogdor/load.ts';
import type { AgentDriver } from '../agent/driver.ts';
import type { Workloads } from '../agent/workloads.ts';
import { bootMs } from '../clock.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { addressesOf } from './config-file.ts';
import { TrogdorError } from './trogdor-error.ts';

/** Workers that are done are forgotten, the oldest first, beyond this many. */
const DONE_MAX = 256;

interface WorkersOptions {
  node: string;
  driver: AgentDriver;
  workloads: Workloads;
  /** Resolves when every need was probed. */
  probed: Promise<void>;
  /** Of trogdor.conf; empty: this node alone. */
  nodes: readonly TrogdorNode[];
  /** Shows states of workers when Trogdor would. */
  strict?: boolean;
}

/** The workers of Trogdor's protocol on the agent's own faults. */
export class AgentWorkers {
  readonly #options: WorkersOptions;
  /** By decimal id, oldest first. */
  readonly #workers = new Map<string, WorkerRecord>();

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** @throws TrogdorError 409: another task or spec has this id; 400: this node has no part in it. */
  async create(
    worker: { workerId: string; taskId: string; spec: TaskSpec },
    remote: string,
  ): Promise<void> {
    if (this.#isKnown(worker)) return;
    const { driver, node } = this.#options;
    const topology = { name: 'trogdor', nodes: await this.#nodes() };
    await this.#options.probed;
    const { capabilities } = driver.state;
    const here = {
      node,
      topology,
      coordinatorAddresses: [remote.replace(/^::ffff:/i, '')],
      meets: (need: Need) => capabilities.some((each) => each.need === need && each.met),
    };
    if (this.#isKnown(worker)) return;
    const unique = randomBytes(4).toString('hex');
    const record = planWorker(worker, here, { nowMs: Date.now(), unique });
    const problems = record.faults.flatMap((fault) => {
      const checked = checkRequest(driver.state, fault);
      return Array.isArray(checked) ? checked : [];
    });
    if (problems.length > 0)
      record.refused = `${node}: ${problems.map(describeProblem).join('; ')}`;
    this.#workers.set(record.workerId, record);
    this.#forgetOldest();
    if (record.refused === undefined) this.#startLoad(record);
    if (record.refused === undefined)
      for (const fault of record.faults) await this.#inject(record, fault);
    record.begun = true;
  }

  #startLoad(record: WorkerRecord): void {
    if (!record.load) return;
    const { workloads } = this.#options;
    const { id, spec } = record.load;
    try {
      try {
        workloads.startBench(id, spec);
      } catch (error) {
        if (!(error instanceof HttpProblem) || error.status !== 409) throw error;
        // Left by an earlier worker that had this number, or there are too many of them.
        workloads.removeBench(id);
        workloads.startBench(id, spec);
      }
    } catch (error) {
      const problems = error instanceof HttpProblem ? (error.options.problems ?? []) : [];
      record.refused = problems.map(({ message }) => message).join('; ') || reasonOf(error);
    }
  }

  #isKnown({ workerId, taskId, spec }: { workerId: string; taskId: string; spec: TaskSpec }) {
    const known = this.#workers.get(workerId);
    if (!known) return false;
    const differs = known.taskId !== taskId ? 'task ID' : 'task spec';
    if (known.taskId === taskId && sameJson(known.spec, spec)) return true;
    throw new TrogdorError(
      409,
      `There is already a worker ID ${workerId} with a different ${differs}.`,
    );
  }

  /** All nodes of trogdor.conf, their addresses as they are now. */
  async #nodes(): Promise<Node[]> {
    const { nodes, driver } = this.#options;
    if (nodes.length === 0) return driver.state.ownNodes;
    const acting = nodes.filter(({ agentPort }) => agentPort > 0);
    return Promise.all(
      acting.map(async (node) => ({
        name: node.name,
        addresses: await addressesOf(node),
        roles: ['broker' as const],
      })),
    );
  }

  async #inject(record: WorkerRecord, fault: AgentFaultRequest): Promise<void> {
    try {
      const { driver } = this.#options;
      const reply = await driver.request({ event: 'create', request: fault, dryRun: false });
      if ('body' in reply) return;
      const said = reply.problems?.map(describeProblem) ?? [reply.detail];
      record.refused = said.join('; ');
    } catch (error) {
      record.refused = reasonOf(error);
    }
    await this.#heal(record);
  }

  async #heal(record: WorkerRecord): Promise<void> {
    for (const { id } of record.faults) await this.#options.driver.request({ event: 'heal', id });
  }

  async stop(workerId: string): Promise<void> {
    const record = this.#workers.get(workerId);
    if (!record || record.stopped) return;
    record.stopped = true;
    if (record.load) this.#options.workloads.closeBench(record.load.id);
    await this.#heal(record);
  }

  /** Forgets the worker; what it does ends. */
  async destroy(workerId: string): Promise<void> {
    const record = this.#workers.get(workerId);
    if (!record) return;
    this.#workers.delete(workerId);
    if (record.load) this.#options.workloads.removeBench(record.load.id);
    await this.#heal(record);
  }

  #forgetOldest(): void {
    const done = [...this.#workers.values()].filter((record) => this.#isDone(record));
    for (const record of done.slice(0, Math.max(0, done.length - DONE_MAX))) {
      this.#workers.delete(record.workerId);
      if (record.load) this.#options.workloads.removeBench(record.load.id);
      for (const { id } of record.faults)
        void this.#options.driver.request({ event: 'forget', id, instance: 1 });
    }
  }

  /** What its load last said; undefined: it is only starting. Of one that has ended nothing else is kept. */
  #report(record: WorkerRecord): LoadReport | undefined {
    const { load, loadEnd } = record;
    if (loadEnd || !load) return loadEnd;
    const status = this.#options.workloads.bench(load.id);
    if (!status || status.phase === 'starting') return undefined;
    const { phase, startedAtMs, status: said } = status;
    const report: LoadReport = { phase, startedAtMs, status: said };
    if (status.endedAtMs !== undefined) report.endedAtMs = status.endedAtMs;
    if (status.error !== undefined) report.error = status.error;
    if (phase === 'running') return report;
    record.loadEnd = report;
    this.#options.workloads.removeBench(load.id);
    return report;
  }

  #isDone(record: WorkerRecord): boolean {
    if (record.load && record.refused === undefined)
      return (this.#report(record)?.phase ?? 'running') !== 'running';
    const { faults } = this.#options.driver.state;
    return record.faults.every(({ id }) => {
      const fault = latest(faults, id);
      return !fault || hasEnded(fault.state);
    });
  }

  /** Every worker as GET /agent/status shows it. */
  states(): Record<string, unknown> {
    const { driver, strict } = this.#options;
    const { state } = driver;
    const bootedMs = Date.now() - bootMs();
    const shown = [...this.#workers.values()].map((record) => {
      const faults = record.faults.map(({ id }) => {
        const fault = latest(state.faults, id);
        return fault && statusOf(fault, state.node);
      });
      const wallOf = (atBootMs: number): number => Math.round(bootedMs + atBootMs);
      const report = this.#report(record);
      return [record.workerId, workerState(record, faults, wallOf, report, strict)] as const;
    });
    return Object.fromEntries(shown);
  }
}
