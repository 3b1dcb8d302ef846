import { Failure } from '../../core/base/failure.ts';
import type {
  Command,
  MachineEffect,
  MachineEvent,
  MachineState,
  StepResult,
} from '../../core/coordinator/machine-types.ts';
import { recover, step, stepAll } from '../../core/coordinator/machine.ts';
import { nextWakeBootMs } from '../../core/coordinator/orders.ts';
import type { FaultRecord, Instant } from '../../core/coordinator/record.ts';
import type { Event } from '../../core/model/fault-status.ts';
import type { NodeName } from '../../core/model/topology.ts';
import { bootMs } from '../clock.ts';

const SLEEP_MAX_MS = 60_000;

/** Nobody waits for what comes of these: all that arrive in one turn of the event loop are one step. */
const isReport = ({ event }: MachineEvent): boolean =>
  event === 'status' || event === 'answer' || event === 'clock';

export type ResolveEffect = Extract<MachineEffect, { effect: 'resolve' }>;

/** What carries out the machine's effects. */
interface Hands {
  /** @returns whether all that must be durable is. @throws Failure: a new fault could not be written. */
  writeFirst(effects: readonly MachineEffect[], isCreation: boolean): boolean;
  saveSoon(record: FaultRecord): void;
  /** @returns the answer as an event; never throws. */
  send(node: NodeName, command: Command): Promise<MachineEvent>;
  resolve(effect: ResolveEffect): Promise<void>;
  emit(event: Omit<Event, 'id' | 'at'>): void;
  /** Once for all steps that came in together. */
  stepped(): void;
  onBug(error: unknown): void;
}

export const instantNow = (): Instant => ({ wallMs: Date.now(), bootMs: bootMs() });

/** Steps the pure machine of core/coordinator: one event after the other, and a tick when it is due. */
export class Driver {
  readonly #hands: Hands;
  #state: MachineState;
  readonly #queue: MachineEvent[] = [];
  #isStepping = false;
  #isClosed = false;
  #wake: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(state: MachineState, hands: Hands) {
    this.#state = state;
    this.#hands = hands;
  }

  get state(): MachineState {
    return this.#state;
  }

  /** Takes up what the last coordinator on this state left. */
  start(): void {
    this.#apply(recover(this.#state, instantNow()));
    this.#afterSteps();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#wake);
    clearImmediate(this.#look);
    clearImmediate(this.#turn);
  }

  /**
   * Takes an event and all that follow from it, in their order: at once, or a report with the others
   * of this turn. @throws Failure: see #apply
   */
  dispatch(event: MachineEvent): void {
    if (this.#isClosed) return;
    this.#queue.push(event);
    if (this.#isStepping) return;
    if (!isReport(event)) return this.#run();
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#run();
    });
  }

  #run(): void {
    this.#isStepping = true;
    try {
      while (this.#queue.length > 0) this.#stepOn();
    } catch (error) {
      if (error instanceof Failure) throw error;
      this.#hands.onBug(error);
      throw error;
    } finally {
      this.#isStepping = false;
      this.#afterSteps();
    }
  }

  #stepOn(): void {
    const firstOther = this.#queue.findIndex((event) => !isReport(event));
    const reports = this.#queue.splice(0, firstOther === -1 ? this.#queue.length : firstOther);
    if (reports.length > 0) return this.#apply(stepAll(this.#state, reports, instantNow()));
    const next = this.#queue.shift();
    if (next !== undefined) this.#apply(step(this.#state, next, instantNow()), next);
  }

  #afterSteps(): void {
    // Once for all that came in together: a hundred reports are a hundred steps.
    this.#look ??= setImmediate(() => {
      this.#look = undefined;
      this.#hands.stepped();
    });
    clearTimeout(this.#wake);
    const now = instantNow();
    const at = this.#isClosed ? undefined : nextWakeBootMs(this.#state, now);
    if (at === undefined) return;
    const waitMs = Math.min(Math.max(1, Math.ceil(at - now.bootMs)), SLEEP_MAX_MS);
    this.#wake = setTimeout(() => this.dispatch({ event: 'tick' }), waitMs);
  }

  /**
   * Makes a step's result true: disk first, then the rest. What cannot be written is not begun (a new
   * fault, the decision to fire) and not forgotten; healing never waits for the disk.
   * @throws Failure where a new fault could not be written.
   */
  #apply({ state, effects }: StepResult, event?: MachineEvent): void {
    const wasWritten = this.#hands.writeFirst(effects, event?.event === 'create');
    this.#state = state;
    for (const effect of effects) {
      switch (effect.effect) {
        case 'save':
          if (!effect.durable) this.#hands.saveSoon(effect.record);
          break;
        case 'halted':
          break;
        case 'send':
          if (!wasWritten && effect.command.command === 'forget') break;
          void this.#hands
            .send(effect.node, effect.command)
            .then((answer) => this.dispatch(answer));
          break;
        case 'resolve':
          void this.#hands.resolve(effect);
          break;
        case 'decided':
          if (wasWritten)
            this.#queue.push({ event: 'decided', id: effect.id, instance: effect.instance });
          break;
        case 'event':
          this.#hands.emit(effect.event);
          break;
      }
    }
  }
}
