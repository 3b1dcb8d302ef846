import type { FaultRecord } from '../../src/core/coordinator/record.ts';
import { stateOf } from '../../src/core/coordinator/status.ts';
import {
  endedEarly,
  hasEnded,
  STATES,
  TRANSITIONS,
  type State,
} from '../../src/core/model/lifecycle.ts';
import type { SimCoordinator } from './coordinator.ts';
import type { Invariants } from './invariants.ts';
import type { SimNode } from './node.ts';

/** Every state that can follow, also where those in between were not seen. */
const REACHABLE = new Map(STATES.map((state) => [state, reachableFrom(state)]));

function reachableFrom(state: State): Set<State> {
  const found = new Set<State>([state]);
  for (const each of found) for (const next of TRANSITIONS[each]) found.add(next);
  return found;
}

/** What coordinators say of faults: along the table, never back from an end, and true in the end. */
export class CoordinatorView {
  readonly #invariants: Invariants;
  readonly #seen = new Map<string, State>();

  constructor(invariants: Invariants) {
    this.#invariants = invariants;
  }

  saw(coordinator: SimCoordinator, records: readonly FaultRecord[]): void {
    for (const record of records) {
      const name = `${coordinator.owner} ${record.id}/${record.instance}`;
      this.#moved(name, stateOf(record));
      for (const part of record.parts) this.#moved(`${name} on ${part.node}`, part.state);
    }
  }

  /** What was not on its disk yet it learns again, from the agents. */
  restarted(): void {
    for (const [name, state] of this.#seen) if (!hasEnded(state)) this.#seen.delete(name);
    for (const name of this.#seen.keys()) if (name.includes(' on ')) this.#seen.delete(name);
  }

  #moved(name: string, state: State): void {
    const before = this.#seen.get(name);
    if (before === state) return;
    this.#seen.set(name, state);
    if (before !== undefined && !REACHABLE.get(before)?.has(state))
      this.#invariants.fail(`the view of ${name} went from ${before} to ${state}`);
  }

  /** Everything is over and everybody was heard: the coordinator's records are what happened. */
  checkEnd(coordinator: SimCoordinator, nodes: readonly SimNode[], ids: Iterable<string>): void {
    const { owner } = coordinator;
    for (const id of ids)
      if (!coordinator.disk.has(id))
        this.#invariants.fail(`${owner} has forgotten ${id}, which it had acknowledged`);
    for (const record of coordinator.records()) {
      if (record.stage !== 'ended')
        this.#invariants.fail(`${record.id} of ${owner} is still ${record.stage}`);
      for (const part of record.parts) this.#checkPart(coordinator, record, part.node, part.state);
    }
    for (const node of nodes) {
      for (const { owner: whose, id, instance, state } of node.statuses()) {
        if (whose !== owner) continue;
        this.#invariants.fail(`${node.name} was never told to forget ${id}/${instance} (${state})`);
      }
    }
  }

  #checkPart(coordinator: SimCoordinator, record: FaultRecord, node: string, state: State): void {
    const { owner } = coordinator;
    const key = `${record.id}/${record.instance}`;
    const fired = this.#invariants.firedOn(node, owner, key) > 0;
    const name = `${key} of ${owner} on ${node}`;
    if (!hasEnded(state)) this.#invariants.fail(`the view of ${name} is still ${state}`);
    if (fired && state !== 'healed' && state !== 'failed')
      this.#invariants.fail(`${name} fired, and the view is ${state}`);
    // An agent that died between the order and the instant cannot say: then it may have.
    const mayHave = record.parts.find((part) => part.node === node)?.report?.endedBy;
    if (!fired && state === 'healed' && !endedEarly(mayHave))
      this.#invariants.fail(`${name} never fired, and the view is healed`);
  }
}
