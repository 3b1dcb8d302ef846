import { unreachable } from '../../core/base/assert.ts';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { guardDue, nextDue } from '../../core/agent/due.ts';
import type { AgentEffect, AgentEvent, AgentReply } from '../../core/agent/event.ts';
import type { JournalEntry } from '../../core/agent/journal-record.ts';
import type { AgentState } from '../../core/agent/state.ts';
import { step } from '../../core/agent/step.ts';
import { describeAct, type Act } from '../../core/model/act.ts';
import type { AgentFaultStatus } from '../../core/model/fault-status.ts';
import { hasEnded, type EndedBy } from '../../core/model/lifecycle.ts';
import type { Answer } from '../../core/model/query.ts';
import type { Clock } from '../boot-clock.ts';
import type { Journal } from '../journal.ts';
import type { Linux } from '../linux/linux.ts';

/** Everything the agent's machine reaches the world through. */
export interface AgentPorts {
  linux: Linux;
  journal: Journal;
  clock: Clock;
  /** Tells the guard by when it must hear of us again; must be done when it returns. */
  beat(dueMs: number | undefined): void;
  /** Whether new faults are refused: for the agents after this one. Resolves when it is on disk. */
  remember(closed: boolean): Promise<void>;
  onStatus(status: AgentFaultStatus): void;
  /** A bug: the process is to end; its next start heals. */
  onBug(error: unknown): void;
}

/** Requests that wait for an answer, without their ticket. */
export type AgentRequest =
  Extract<AgentEvent, { ticket: number }> extends infer E
    ? E extends { ticket: number }
      ? Omit<E, 'ticket'>
      : never
    : never;

/** Carries out what the machine wants, and tells it what came of it. */
export class AgentDriver {
  readonly #ports: AgentPorts;
  readonly #tickets = new Map<number, (reply: AgentReply) => void>();
  readonly #watchers = new Set<() => void>();
  #state: AgentState;
  #nextTicket = 1;
  #remembered: Promise<void> = Promise.resolve();
  #beaten: number | undefined;
  #timer: { atMs: number; cancel: () => void } | undefined;
  #closed = false;

  constructor(ports: AgentPorts, state: AgentState) {
    this.#ports = ports;
    this.#state = state;
  }

  get state(): AgentState {
    return this.#state;
  }

  /** Heals what the journal holds open. @returns once everything has healed or is stuck. */
  async recover(entries: JournalEntry[], by: EndedBy): Promise<void> {
    this.dispatch({ event: 'started', entries, by });
    await this.until((state) =>
      [...state.faults.values()].every((fault) => hasEnded(fault.state) || fault.state === 'stuck'),
    );
  }

  /** A request of the outside. */
  async request(request: AgentRequest): Promise<AgentReply> {
    const ticket = this.#nextTicket++;
    const reply = await new Promise<AgentReply>((resolve) => {
      this.#tickets.set(ticket, resolve);
      this.dispatch({ ...request, ticket });
    });
    await this.#remembered;
    return reply;
  }

  /** Waits until the state is as described. */
  async until(condition: (state: AgentState) => boolean, signal?: AbortSignal): Promise<void> {
    if (condition(this.#state) || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (!condition(this.#state) && signal?.aborted !== true) return;
        this.#watchers.delete(watcher);
        signal?.removeEventListener('abort', watcher);
        resolve();
      };
      this.#watchers.add(watcher);
      signal?.addEventListener('abort', watcher);
    });
  }

  /** No more timers and no more effects: for tests, and after everything has healed. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** One step of the machine, and its effects. */
  dispatch(event: AgentEvent): void {
    if (this.#closed) return;
    try {
      const { state, effects } = step(this.#state, event, this.#ports.clock.nowMs());
      this.#state = state;
      // The guard knows of a deadline before the fault that has it begins.
      this.#beat();
      for (const effect of effects) this.#carryOut(effect);
    } catch (error) {
      this.close();
      this.#ports.onBug(error);
      return;
    }
    this.#setTimer();
    for (const watcher of this.#watchers) watcher();
  }

  #beat(): void {
    const due = guardDue(this.#state);
    if (due === this.#beaten) return;
    this.#ports.beat(due);
    this.#beaten = due;
  }

  /** Tells the guard again, a new one after the old one died. */
  beatAgain(): void {
    this.#beaten = undefined;
    this.#beat();
  }

  #setTimer(): void {
    const due = nextDue(this.#state);
    if (due?.atMs === this.#timer?.atMs) return;
    this.#timer?.cancel();
    this.#timer = due && {
      atMs: due.atMs,
      cancel: this.#ports.clock.at(due.atMs, due.precise, () => {
        this.#timer = undefined;
        this.dispatch({ event: 'tick' });
      }),
    };
  }

  #carryOut(effect: AgentEffect): void {
    const { journal, onStatus } = this.#ports;
    switch (effect.effect) {
      case 'ask':
        return this.#conclude(effect, this.#ask(effect), (answers) => ({
          ...identity(effect),
          event: 'answered',
          answers,
        }));
      case 'journal':
        return this.#conclude(effect, journal.arm(effect.arm, effect.progress), (record) => ({
          ...identity(effect),
          event: 'journaled',
          record,
        }));
      case 'perform':
        return this.#conclude(effect, this.#ports.linux.perform(effect.act), () => ({
          ...identity(effect),
          event: 'done',
        }));
      case 'verify':
        return this.#conclude(effect, this.#verify(effect.act), () => ({
          ...identity(effect),
          event: 'done',
        }));
      case 'progress':
        return journal.progress(effect.record, effect.progress);
      case 'forget':
        return journal.forget(effect.record);
      case 'remember':
        this.#remembered = this.#remembered.then(() => this.#ports.remember(effect.closed));
        return;
      case 'status':
        return onStatus(effect.status);
      case 'reply': {
        const resolve = this.#tickets.get(effect.ticket);
        this.#tickets.delete(effect.ticket);
        return resolve?.(effect.reply);
      }
      default:
        return unreachable(effect);
    }
  }

  async #verify(act: Act): Promise<void> {
    if (await this.#ports.linux.holds(act)) return;
    const says = `it was taken away by somebody else: ${describeAct(act)}`;
    throw new Failure('gone', says, { definite: true });
  }

  async #ask(effect: Extract<AgentEffect, { effect: 'ask' }>): Promise<Answer[]> {
    const { linux } = this.#ports;
    const work = async (): Promise<Answer[]> => {
      if (effect.probes.length > 0) await linux.probe(effect.probes);
      const answers = await Promise.all(effect.queries.map((query) => linux.ask(query)));
      // Once more: a peer whose rule came after the first probes, and whose own we have just counted,
      // must find something to count as well, though we may have seen enough and look no more.
      if (effect.probes.length > 0) await linux.probe(effect.probes);
      return answers;
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const says = `no answer within ${effect.timeoutMs} ms`;
        reject(new Failure('slow', says, { definite: true }));
      }, effect.timeoutMs);
    });
    try {
      return await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #conclude<T>(
    effect: { key: string; serial: number },
    work: Promise<T>,
    event: (value: T) => AgentEvent,
  ): void {
    void work.then(
      (value) => this.dispatch(event(value)),
      (error: unknown) => {
        // A bug in the hands is no reason to leave other faults alone: only a Failure is expected,
        // but whatever was thrown, this effect failed.
        const failure = error instanceof Failure ? error : undefined;
        this.dispatch({
          ...identity(effect),
          event: 'failed',
          code: failure?.code ?? 'unexpected',
          message: reasonOf(error),
          definite: failure?.definite ?? false,
        });
      },
    );
  }
}

function identity(effect: { key: string; serial: number }): { key: string; serial: number } {
  return { key: effect.key, serial: effect.serial };
}
