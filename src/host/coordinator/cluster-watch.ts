import { changeBetween, describeChange } from '../../core/coordinator/cluster-changes.ts';
import type { Event } from '../../core/model/fault-status.ts';
import type { ClusterSnapshot } from '../../core/model/topology.ts';
import type { LiveView } from './options.ts';

const LOOK_MS = 500;

/** Tells what changes in the cluster, from one look of the live view to the next. */
export class ClusterWatch {
  readonly #view: LiveView;
  readonly #emit: (event: Omit<Event, 'id' | 'at'>) => void;
  #last: ClusterSnapshot | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(view: LiveView, emit: (event: Omit<Event, 'id' | 'at'>) => void) {
    this.#view = view;
    this.#emit = emit;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), LOOK_MS);
  }

  look(): void {
    const snapshot = this.#view.snapshot();
    // Nobody answers: what comes after that is compared with what was before.
    if (snapshot.error !== undefined) return;
    const change = this.#last === undefined ? undefined : changeBetween(this.#last, snapshot);
    this.#last = snapshot;
    if (change === undefined) return;
    this.#emit({ type: 'cluster.changed', message: describeChange(change), data: change });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
