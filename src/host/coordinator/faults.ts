import { sameJson } from '../../core/base/canonical-json.ts';
import { checkRequest, type Resolution } from '../../core/coordinator/admission.ts';
import { newRecord, type FaultRecord } from '../../core/coordinator/record.ts';
import { faultStatus } from '../../core/coordinator/status.ts';
import type { FaultRequest } from '../../core/model/fault-request.ts';
import type { FaultStatus } from '../../core/model/fault-status.ts';
import { hasEnded, type State } from '../../core/model/lifecycle.ts';
import type { NodeName } from '../../core/model/topology.ts';
import { HttpProblem, unprocessable } from '../http/http-problem.ts';
import type { Admitter } from './admitter.ts';
import type { AgentLink } from './agent-link.ts';
import type { CreateOptions } from './api.ts';
import { instantNow, type Driver } from './driver.ts';
import { planEverywhere } from './dry-run.ts';
import type { KnownTopology } from './known-topology.ts';
import type { Store } from './store.ts';
import { Waiters } from './waiters.ts';
import type { Writer } from './writer.ts';

/** How long after its time limit an arming may take to be settled. */
const SETTLE_MS = 2_500;
const FAULTS_LISTED_MAX = 10_000;

interface FaultsOptions {
  topology: KnownTopology;
  links: ReadonlyMap<NodeName, AgentLink>;
  store: Store;
  writer: Writer;
  driver: Driver;
  admitter: Admitter;
}

/** The fault routes: create, get, list, wait, heal. What each does is said in api.ts. */
export class Faults {
  readonly #options: FaultsOptions;
  readonly #driver: Driver;
  readonly #waiters = new Waiters();

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.#driver = options.driver;
  }

  async create(
    request: FaultRequest,
    options: CreateOptions = {},
  ): Promise<{ created: boolean; fault: FaultStatus }> {
    const { topology, links, admitter } = this.#options;
    const known = this.#known(request);
    if (known && options.dryRun !== true) return this.#settled(known, false, options);
    this.#refuseHalted();
    let problems = checkRequest(request, topology.learn(), Date.now());
    if (problems.length > 0) {
      // A coordinator just started may not have heard of the cluster yet.
      await admitter.freshView();
      problems = checkRequest(request, topology.learn(), Date.now());
    }
    if (problems.length > 0) throw unprocessable(problems);
    const isTimed = request.startAt !== undefined || request.after !== undefined;
    let resolution: Resolution | undefined;
    if (!isTimed || options.dryRun === true) {
      if (request.targets !== undefined) await admitter.freshView();
      const admitted = admitter.admit(this.#driver.state, request, 1, options.limits);
      if (!admitted.ok) throw unprocessable(admitted.problems);
      resolution = admitted.value;
    }
    const record = newRecord(request, instantNow(), resolution);
    if (options.dryRun === true) {
      const fault = await planEverywhere(record, this.#driver.state, links);
      return { created: false, fault };
    }
    // Somebody else may have been faster while the cluster was looked at.
    const twin = this.#known(request);
    if (twin) return this.#settled(twin, false, options);
    this.#refuseHalted();
    if (options.limits) admitter.limit(request.id, options.limits);
    this.#driver.dispatch({ event: 'create', record });
    return this.#settled(request.id, true, options);
  }

  #refuseHalted(): void {
    if (!this.#driver.state.halted) return;
    throw new HttpProblem(
      409,
      'everything was healed (POST /v1/heal); POST /v1/resume allows new faults again',
      { conflictsWith: 'heal' },
    );
  }

  /** The id of the same fault, if it is there. @throws HttpProblem 409: another spec has this id. */
  #known(request: FaultRequest): string | undefined {
    const { id } = request;
    const known = this.#driver.state.faults.get(id) ?? this.#options.store.fault(id);
    if (known === undefined) return undefined;
    if (sameJson(known.request, request)) return id;
    throw new HttpProblem(409, `fault '${id}' is there already, with another spec`, {
      conflictsWith: id,
    });
  }

  /** Waits until it is armed or refused (or as long as asked for); a new one that was refused throws. */
  async #settled(
    id: string,
    created: boolean,
    options: CreateOptions,
  ): Promise<{ created: boolean; fault: FaultStatus }> {
    const waitMs = options.waitMs ?? 0;
    const isSettled = ({ state }: FaultStatus): boolean =>
      waitMs > 0 ? state === 'active' || hasEnded(state) : state !== 'arming';
    const mostMs = this.#driver.state.settings.armTimeoutMs + SETTLE_MS;
    const fault = await this.wait(id, isSettled, waitMs > 0 ? waitMs : mostMs);
    if (!created || fault.state !== 'refused') return { created, fault };
    const conflictsWith = this.#record(id)?.conflictsWith;
    throw new HttpProblem(
      conflictsWith === undefined ? 422 : 409,
      `fault '${id}' was refused: ${fault.problems.map((problem) => problem.message).join('; ')}`,
      {
        problems: fault.problems,
        ...(conflictsWith === undefined ? {} : { conflictsWith }),
      },
    );
  }

  heal(id: string): FaultStatus {
    if (this.#driver.state.faults.has(id)) this.#driver.dispatch({ event: 'heal', id });
    const fault = this.get(id);
    if (fault === undefined) throw new HttpProblem(404, `there is no fault '${id}'`);
    return fault;
  }

  /** The newest there is of it, while that is on its way to the store. */
  #newest(id: string): FaultRecord | undefined {
    return this.#driver.state.faults.get(id) ?? this.#options.writer.unsaved(id);
  }

  #record(id: string): FaultRecord | undefined {
    return this.#newest(id) ?? this.#options.store.fault(id);
  }

  get(id: string): FaultStatus | undefined {
    const record = this.#record(id);
    return record && faultStatus(record, this.#options.store.owner);
  }

  list(filter: { run?: string; states?: readonly string[] } = {}): FaultStatus[] {
    const { store } = this.#options;
    const onlyOpen = filter.states?.every((state) => !hasEnded(state as State)) === true;
    return store
      .faults(filter.run, FAULTS_LISTED_MAX, onlyOpen)
      .map((stored) => faultStatus(this.#newest(stored.id) ?? stored, store.owner))
      .filter((fault) => filter.states === undefined || filter.states.includes(fault.state));
  }

  async wait(
    id: string,
    holds: (fault: FaultStatus) => boolean,
    timeoutMs: number,
  ): Promise<FaultStatus> {
    const now = this.get(id);
    if (now === undefined) throw new HttpProblem(404, `there is no fault '${id}'`);
    if (holds(now)) return now;
    await this.#waiters.wait(id, holds, timeoutMs);
    return this.get(id) ?? now;
  }

  /** To be called after every change, for those who wait. */
  changed(): void {
    this.#waiters.tell((id) => this.get(id));
  }
}
