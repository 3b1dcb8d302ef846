import { assert } from '../../core/base/assert.ts';
import type { Checked } from '../../core/base/problem.ts';
import { admit, type Resolution } from '../../core/coordinator/admission.ts';
import type { MachineState } from '../../core/coordinator/machine-types.ts';
import type { Blast } from '../../core/coordinator/safety.ts';
import type { FaultRequest } from '../../core/model/fault-request.ts';
import type { Limits } from '../../core/model/scenario.ts';
import type { NodeName } from '../../core/model/topology.ts';
import type { AgentLink } from './agent-link.ts';
import type { Driver, ResolveEffect } from './driver.ts';
import type { KnownTopology } from './known-topology.ts';
import type { LiveView } from './options.ts';

/** A view older than this is asked anew before a selector is resolved on it. */
const FRESH_MS = 300;
const REFRESH_MAX_MS = 700;

interface AdmitterOptions {
  topology: KnownTopology;
  links: ReadonlyMap<NodeName, AgentLink>;
  limits: Limits;
  view: LiveView | undefined;
}

function standing(state: MachineState, except: string): Blast[] {
  return [...state.faults.values()].flatMap((record) =>
    record.id !== except && record.stage !== 'pending' && record.resolution
      ? [record.resolution.blast]
      : [],
  );
}

/** Resolves a fault's selectors on the cluster as it is now, and says whether it may be. */
export class Admitter {
  readonly #options: AdmitterOptions;
  readonly #resolving = new Set<string>();
  readonly #limits = new Map<string, Limits>();

  constructor(options: AdmitterOptions) {
    this.#options = options;
  }

  /** From now on the limits of this fault, in place of the coordinator's own. */
  limit(id: string, limits: Limits): void {
    this.#limits.set(id, limits);
  }

  /** Answers the machine's question; the same one asked twice at once is answered once. */
  async resolve({ id, instance, purpose }: ResolveEffect, driver: Driver): Promise<void> {
    const key = `${purpose} ${id} ${instance}`;
    if (this.#resolving.has(key)) return;
    this.#resolving.add(key);
    const request = driver.state.faults.get(id)?.request;
    assert(request !== undefined, `resolve of ${id}, which is not there`);
    try {
      await this.freshView();
      const result = this.admit(driver.state, request, instance, this.#limits.get(id));
      driver.dispatch({ event: 'resolved', id, instance, purpose, result });
    } finally {
      this.#resolving.delete(key);
    }
  }

  /** Looks at the cluster anew where the last look is not quite fresh, and not for long. */
  async freshView(): Promise<void> {
    const { view } = this.#options;
    if (view === undefined || Date.now() - view.snapshot().takenAtMs < FRESH_MS) return;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, REFRESH_MAX_MS);
    await Promise.race([view.refresh(), over]);
    clearTimeout(timer);
  }

  admit(
    state: MachineState,
    request: FaultRequest,
    instance: number,
    limits?: Limits,
  ): Checked<Resolution> {
    const { links, view } = this.#options;
    const topology = this.#options.topology.learn();
    const snapshot = view?.snapshot();
    const capabilities = [...links].flatMap(([node, link]) =>
      link.capabilities === undefined ? [] : ([[node, link.capabilities]] as const),
    );
    return admit(
      request,
      { id: request.id, instance },
      {
        topology,
        ...(snapshot === undefined ? {} : { snapshot }),
        limits: { ...this.#options.limits, ...limits },
        capabilities: new Map(capabilities),
        standing: standing(state, request.id),
      },
    );
  }
}
