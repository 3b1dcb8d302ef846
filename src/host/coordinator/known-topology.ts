import { withKnownListeners } from '../../core/coordinator/known-listeners.ts';
import type { Node, Topology } from '../../core/model/topology.ts';
import type { LiveView } from './options.ts';

/** The nodes of cluster.yaml and what Kafka tells of them: one object for all who plan with it. */
export class KnownTopology implements Topology {
  readonly name: string;
  nodes: Node[];
  readonly #declared: readonly Node[];
  readonly #view: LiveView | undefined;

  constructor({ name, nodes }: Topology, view: LiveView | undefined) {
    this.name = name;
    this.nodes = nodes;
    this.#declared = nodes;
    this.#view = view;
  }

  /** Takes in what the view has seen by now. */
  learn(): this {
    const known = this.#view?.snapshot().listeners;
    if (known) this.nodes = withKnownListeners(this.#declared, known);
    return this;
  }
}
