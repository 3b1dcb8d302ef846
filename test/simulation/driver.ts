import { unreachable } from '../../src/core/base/assert.ts';
import { Failure, reasonOf } from '../../src/core/base/failure.ts';
import { guardDue, nextDue } from '../../src/core/agent/due.ts';
import type { AgentEffect, AgentEvent, AgentReply } from '../../src/core/agent/event.ts';
import type { AgentState } from '../../src/core/agent/state.ts';
import type { step } from '../../src/core/agent/step.ts';
import type { Act } from '../../src/core/model/act.ts';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import type { SimJournal } from './disk.ts';
import type { SimNode } from './node.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** Requests that wait for an answer, without their ticket. */
export type AgentRequest =
  Extract<AgentEvent, { ticket: number }> extends infer E
    ? E extends { ticket: number }
      ? Omit<E, 'ticket'>
      : never
    : never;

/** Who asks: the owner that a coordinator is, or nobody (the process itself). */
export type Asker = string | undefined;

export interface DriverPorts {
  step: typeof step;
  beat(dueMs: number | undefined): void;
  onStatus(status: AgentFaultStatus): void;
  onStep(before: AgentState, after: AgentState, event: AgentEvent, asker: Asker): void;
  /** An act is about to be performed on the machine. @throws Failure in its stead */
  onAct(act: Act, state: AgentState, effect: { key: string; serial: number }): void;
}

/** host/agent/driver.ts in virtual time: carries out what the agent's machine wants. */
export class SimDriver {
  state: AgentState;
  readonly #world: World;
  readonly #node: SimNode;
  readonly #process: Process;
  readonly #journal: SimJournal;
  readonly #ports: DriverPorts;
  readonly #tickets = new Map<number, (reply: AgentReply) => void>();
  #nextTicket = 1;
  #beaten: number | undefined;
  #timer: { atMs: number; cancel: () => void } | undefined;
  #waiting: { condition: (state: AgentState) => boolean; done: () => void } | undefined;

  constructor(
    node: SimNode,
    process: Process,
    journal: SimJournal,
    state: AgentState,
    ports: DriverPorts,
  ) {
    this.#world = node.world;
    this.#node = node;
    this.#process = process;
    this.#journal = journal;
    this.#ports = ports;
    this.state = state;
  }

  request(request: AgentRequest, asker: Asker, done: (reply: AgentReply) => void): void {
    const ticket = this.#nextTicket++;
    this.#tickets.set(ticket, done);
    this.dispatch({ ...request, ticket }, asker);
  }

  dispatch(event: AgentEvent, asker?: Asker): void {
    const before = this.state;
    const { state, effects } = this.#ports.step(before, event, this.#node.bootMs);
    this.state = state;
    this.#ports.onStep(before, state, event, asker);
    this.#beat();
    for (const effect of effects) this.#carryOut(effect);
    this.#setTimer();
    this.#tellWaiting();
  }

  /** Calls back, once, as soon as the state is as described. */
  when(condition: (state: AgentState) => boolean, done: () => void): void {
    this.#waiting = { condition, done };
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    const waiting = this.#waiting;
    if (!waiting?.condition(this.state)) return;
    this.#waiting = undefined;
    waiting.done();
  }

  beatAgain(): void {
    this.#beaten = undefined;
    this.#beat();
  }

  #beat(): void {
    const due = guardDue(this.state);
    if (due === this.#beaten) return;
    this.#ports.beat(due);
    this.#beaten = due;
  }

  #setTimer(): void {
    const due = nextDue(this.state);
    if (due?.atMs === this.#timer?.atMs) return;
    this.#timer?.cancel();
    if (!due) return void (this.#timer = undefined);
    const lateMs = this.#world.drawMs(0, due.precise ? 0.3 : 2);
    const atMs = this.#world.nowMs + due.atMs - this.#node.bootMs + lateMs;
    const cancel = this.#process.at(atMs, () => {
      this.#timer = undefined;
      this.dispatch({ event: 'tick' });
    });
    this.#timer = { atMs: due.atMs, cancel };
  }

  #carryOut(effect: AgentEffect): void {
    switch (effect.effect) {
      case 'ask':
        return this.#ask(effect);
      case 'journal':
        return this.#journal.arm(effect.arm, effect.progress, (record) => {
          const identity = identityOf(effect);
          if (record !== undefined) this.dispatch({ ...identity, event: 'journaled', record });
          else this.#failed(identity, new Failure('journal', 'no space', { definite: true }));
        });
      case 'perform':
        return this.#slowly(effect, async () => {
          this.#ports.onAct(effect.act, this.state, effect);
          await this.#node.perform(effect.act);
        });
      case 'verify':
        return this.#slowly(effect, async () => {
          if (await this.#node.linux.holds(effect.act)) return;
          throw new Failure('gone', 'taken away by somebody else', { definite: true });
        });
      case 'progress':
        return this.#journal.progress(effect.record, effect.progress);
      case 'forget':
        return this.#journal.forget(effect.record);
      case 'remember':
        return;
      case 'status':
        return this.#ports.onStatus(effect.status);
      case 'reply': {
        const done = this.#tickets.get(effect.ticket);
        this.#tickets.delete(effect.ticket);
        return done?.(effect.reply);
      }
      default:
        return unreachable(effect);
    }
  }

  #ask(effect: Extract<AgentEffect, { effect: 'ask' }>): void {
    const { linux } = this.#node;
    if (this.#world.random.below(100) === 0) {
      const slow = new Failure('slow', 'no answer in time', { definite: true });
      this.#process.after(effect.timeoutMs, () => this.#failed(identityOf(effect), slow));
      return;
    }
    this.#process.after(this.#world.drawMs(0, 3), async () => {
      if (effect.probes.length > 0) await linux.probe(effect.probes);
      const answers = await Promise.all(effect.queries.map((query) => linux.ask(query)));
      this.#process.after(this.#world.drawMs(0, 2), () =>
        this.dispatch({ ...identityOf(effect), event: 'answered', answers }),
      );
    });
  }

  /** Begun a little later, done a little later still: a death may come before and in between. */
  #slowly(effect: { key: string; serial: number }, work: () => Promise<void>): void {
    this.#process.after(this.#world.drawMs(0, 3), async () => {
      let failure: unknown;
      try {
        await work();
      } catch (error) {
        // The machine said no: the agent is told like of anything else that comes back.
        failure = error;
      }
      this.#process.after(this.#world.drawMs(0, 2), () => {
        if (failure === undefined) this.dispatch({ ...identityOf(effect), event: 'done' });
        else this.#failed(identityOf(effect), failure);
      });
    });
  }

  #failed(identity: { key: string; serial: number }, error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    const { code, definite } = error;
    this.dispatch({ ...identity, event: 'failed', code, message: reasonOf(error), definite });
  }
}

function identityOf(effect: { key: string; serial: number }): { key: string; serial: number } {
  return { key: effect.key, serial: effect.serial };
}
