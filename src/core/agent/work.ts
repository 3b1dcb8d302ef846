import { assert } from '../base/assert.ts';
import type { AgentEffect, AgentReply } from './event.ts';
import type { AgentState, Doing, Fault } from './state.ts';
import { statusOf } from './status.ts';

/** One step of the machine while it is being taken: the next state and the effects so far. */
export interface Work {
  state: AgentState;
  faults: Map<string, Fault>;
  effects: AgentEffect[];
  nowMs: number;
}

export function beginWork(state: AgentState, nowMs: number): Work {
  const faults = new Map(state.faults);
  return { state: { ...state, faults }, faults, effects: [], nowMs };
}

/** Replaces a fault by a changed copy. */
export function update(work: Work, fault: Fault, changes: Partial<Fault>): Fault {
  const next = { ...fault, ...changes };
  work.faults.set(next.key, next);
  return next;
}

export function remove(work: Work, fault: Fault): void {
  work.faults.delete(fault.key);
}

/** The latest copy of a fault that is still there. */
export function current(work: Work, key: string): Fault {
  const fault = work.faults.get(key);
  assert(fault !== undefined, `fault ${key} is gone`);
  return fault;
}

/** A serial for the effect a fault waits for from now on. */
export function begin(work: Work, fault: Fault, what: Doing['what'], index?: number): Fault {
  const serial = work.state.nextSerial;
  work.state = { ...work.state, nextSerial: serial + 1 };
  const doing: Doing = index === undefined ? { what, serial } : { what, serial, index };
  return update(work, fault, { doing });
}

/** Tells whoever watches: the link, the event stream. */
export function push(work: Work, fault: Fault): void {
  if (!fault.dryRun)
    work.effects.push({ effect: 'status', status: statusOf(fault, work.state.node) });
}

export function reply(work: Work, ticket: number, answer: AgentReply): void {
  work.effects.push({ effect: 'reply', ticket, reply: answer });
}

/** Answers everyone who waits for the creation of a fault: the first made it, the others found it. */
export function replyAll(work: Work, fault: Fault, answer: AgentReply): Fault {
  for (const [index, ticket] of fault.tickets.entries()) {
    const again = index > 0 && answer.status === 201;
    reply(work, ticket, again ? { ...answer, status: 200 } : answer);
  }
  return update(work, fault, { tickets: [] });
}
