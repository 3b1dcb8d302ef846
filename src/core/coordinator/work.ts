import type { NodeName } from '../model/topology.ts';
import { commandKey } from './command.ts';
import { copyRecord, type FaultRecord, type Instant, type Part } from './record.ts';
import type { Command, LinkState, MachineEffect, MachineState } from './machine-types.ts';

/**
 * One step under way: a copy of the state in which only what changes is copied, and the effects so
 * far. The state the step began with is never changed.
 */
export class Work {
  readonly now: Instant;
  readonly effects: MachineEffect[] = [];
  readonly before: MachineState;
  readonly #faults: Map<string, FaultRecord>;
  readonly #links: Map<NodeName, LinkState>;
  readonly #copied = new Set<string>();
  /** Faults whose records are to be written before anything is sent. */
  readonly durable = new Set<string>();
  halted: boolean;
  leasesAtBootMs: number;

  constructor(state: MachineState, now: Instant) {
    this.before = state;
    this.now = now;
    this.#faults = new Map(state.faults);
    this.#links = new Map(state.links);
    this.halted = state.halted;
    this.leasesAtBootMs = state.leasesAtBootMs;
  }

  get settings(): MachineState['settings'] {
    return this.before.settings;
  }

  ids(): string[] {
    return [...this.#faults.keys()];
  }

  /** To look at. */
  peek(id: string): FaultRecord | undefined {
    return this.#faults.get(id);
  }

  /** To change. */
  record(id: string): FaultRecord | undefined {
    const record = this.#faults.get(id);
    if (record === undefined || this.#copied.has(id)) return record;
    const copy = copyRecord(record);
    this.#faults.set(id, copy);
    this.#copied.add(id);
    return copy;
  }

  add(record: FaultRecord): FaultRecord {
    const copy = copyRecord(record);
    this.#faults.set(record.id, copy);
    this.#copied.add(record.id);
    return copy;
  }

  remove(id: string): void {
    this.#faults.delete(id);
  }

  changed(): FaultRecord[] {
    return [...this.#copied].flatMap((id) => this.#faults.get(id) ?? []);
  }

  part(id: string, node: NodeName): Part | undefined {
    const known = this.#faults.get(id)?.parts.some((part) => part.node === node);
    return known === true ? this.record(id)?.parts.find((part) => part.node === node) : undefined;
  }

  link(node: NodeName): LinkState | undefined {
    return this.#links.get(node);
  }

  links(): [NodeName, LinkState][] {
    return [...this.#links];
  }

  setLink(node: NodeName, link: LinkState): void {
    this.#links.set(node, link);
  }

  /** Whether the agent can be asked: linked, and it has said what it has. */
  ready(node: NodeName): boolean {
    const link = this.#links.get(node);
    return link?.up === true && link.complete;
  }

  /** Sends a command unless the same one is under way or has just failed. */
  send(node: NodeName, command: Command): boolean {
    const link = this.#links.get(node);
    if (link === undefined || !link.up) return false;
    const key = commandKey(command);
    if (link.inFlight.has(key)) return false;
    if ((link.retryAtBootMs.get(key) ?? 0) > this.now.bootMs) return false;
    this.#links.set(node, { ...link, inFlight: new Set([...link.inFlight, key]) });
    this.effects.push({ effect: 'send', node, command });
    return true;
  }

  say(event: Extract<MachineEffect, { effect: 'event' }>['event']): void {
    this.effects.push({ effect: 'event', event });
  }

  state(): MachineState {
    return {
      ...this.before,
      halted: this.halted,
      faults: this.#faults,
      links: this.#links,
      leasesAtBootMs: this.leasesAtBootMs,
    };
  }
}
