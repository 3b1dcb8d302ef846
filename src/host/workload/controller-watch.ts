import { Failure } from '../../core/base/failure.ts';
import type { ControllerAddress, WorkloadSpec } from '../../core/workloads/spec.ts';
import { describeQuorum } from '../kafka/admin.ts';
import { BrokerConnection } from '../kafka/broker-connection.ts';
import { securityOptions, type SecurityOptions } from '../kafka/security.ts';
import { monotonicNs, type Recorder } from './recorder.ts';

const PERIOD_MS = 500;
const REQUEST_MS = 2_000;

/**
 * Asks every controller itself, twice a second, whom it takes for the active one: two that each take
 * themselves for it are seen only so. Each is asked on its own, so that a silent one delays nobody.
 */
export class ControllerWatch {
  readonly #controllers: readonly ControllerAddress[];
  readonly #security: SecurityOptions;
  readonly #recorder: Recorder;
  readonly #process: number;
  readonly #connections = new Map<string, BrokerConnection>();
  readonly #asking = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** @param process what the entries are marked with. */
  constructor(spec: WorkloadSpec, recorder: Recorder, process: number) {
    this.#controllers = spec.controllers ?? [];
    const security = securityOptions(spec.kafka.properties ?? {});
    // Properties that are wrong end the workload before anybody is asked.
    this.#security = security.ok ? security.value : {};
    this.#recorder = recorder;
    this.#process = process;
  }

  start(): void {
    if (this.#controllers.length === 0) return;
    this.#timer = setInterval(() => {
      for (const controller of this.#controllers) void this.#ask(controller);
    }, PERIOD_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  async #ask(controller: ControllerAddress): Promise<void> {
    const { node, id, host, port } = controller;
    if (this.#asking.has(node)) return;
    this.#asking.add(node);
    const startedNs = monotonicNs();
    try {
      const { leader, epoch } = await askLeader(await this.#connection(node, { host, port }));
      // Stopped meanwhile: the history may be closed.
      if (this.#timer === undefined) return;
      const entry = { startedNs, node, id, leader, epoch };
      this.#recorder.add({ type: 'ok', f: 'controller', process: this.#process, ...entry });
    } catch {
      // Dead, paused or cut off: it says nothing, which is no claim.
      this.#connections.get(node)?.close();
      this.#connections.delete(node);
    } finally {
      this.#asking.delete(node);
    }
  }

  async #connection(node: string, address: { host: string; port: number }) {
    const known = this.#connections.get(node);
    if (known?.usable === true) return known;
    known?.close();
    const connection = new BrokerConnection(address, {
      clientId: 'faultline-controllers',
      connectTimeoutMs: REQUEST_MS,
      requestTimeoutMs: REQUEST_MS,
      security: this.#security,
    });
    this.#connections.set(node, connection);
    await connection.open();
    return connection;
  }
}

/** Followers refuse to describe the quorum; that too is an answer. @throws Failure: there is none. */
async function askLeader(connection: BrokerConnection): Promise<{ leader: number; epoch: number }> {
  try {
    return await describeQuorum(connection);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'NOT_LEADER_OR_FOLLOWER') throw error;
    return { leader: -1, epoch: -1 };
  }
}
