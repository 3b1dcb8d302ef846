import { unreachable } from '../base/assert.ts';
import { hasEnded } from '../model/lifecycle.ts';
import type { Answer } from '../model/query.ts';
import { create, journaled, observed, refuse, sampledBefore, unprocessable } from './arm.ts';
import type { AgentEffect, AgentEvent } from './event.ts';
import { acted, endOf, holdsUpEnd, looked, stayInForce, waitArmed } from './force.ts';
import { afterLooked, healOn, lastLooked, undoFailed, undone } from './heal.ts';
import { recover } from './recover.ts';
import { lookAfterDisk, nextUpkeep, upkeepFailed, verify } from './upkeep.ts';
import {
  renewLeases,
  requestFire,
  requestForget,
  requestHeal,
  requestHealAll,
  requestResume,
  requestStop,
} from './requests.ts';
import type { AgentState, Doing, Fault } from './state.ts';
import { beginWork, current, update, type Work } from './work.ts';

/**
 * The agent, as a function: what happened, and when, in; the next state and what is to be done, out.
 * No clock, no disk, no network: the same events at the same instants give the same effects.
 * @param nowMs CLOCK_BOOTTIME of the node, ms, never less than before.
 */
export function step(
  state: AgentState,
  event: AgentEvent,
  nowMs: number,
): { state: AgentState; effects: AgentEffect[] } {
  const work = beginWork(state, nowMs);
  // What is due comes first: a lease that has ended is not renewed by a message that was queued.
  if (event.event !== 'started') proceedAll(work);
  handle(work, event);
  proceedAll(work);
  return { state: work.state, effects: work.effects };
}

function handle(work: Work, event: AgentEvent): void {
  switch (event.event) {
    case 'started':
      return recover(work, event.entries, event.by);
    case 'probed':
      work.state = { ...work.state, capabilities: event.capabilities };
      return;
    case 'listening':
      work.state = { ...work.state, agentPort: event.agentPort };
      return;
    case 'create':
      return create(work, event.ticket, event.request, event.dryRun);
    case 'fire':
      return requestFire(work, event.ticket, event);
    case 'heal':
      return requestHeal(work, event.ticket, event.id);
    case 'healAll':
      return requestHealAll(work, event.ticket);
    case 'resume':
      return requestResume(work, event.ticket);
    case 'forget':
      return requestForget(work, event.ticket, event.id, event.instance);
    case 'leases':
      return renewLeases(work, event.ticket, event.owner, event.faults);
    case 'diskEnded':
      return lookAfterDisk(work, event.mountPoint);
    case 'stop':
      return requestStop(work);
    case 'tick':
      return;
    case 'answered':
    case 'journaled':
    case 'done':
    case 'failed':
      return conclude(work, event);
    default:
      return unreachable(event);
  }
}

type Conclusion = Extract<AgentEvent, { serial: number }>;

/** The effect a fault waited for has been carried out, or not. Anything else comes too late. */
function conclude(work: Work, event: Conclusion): void {
  const waiting = work.faults.get(event.key);
  const doing = waiting?.doing;
  if (!waiting || !doing || doing.serial !== event.serial) return;
  const fault = update(work, waiting, { doing: undefined });
  if (event.event === 'failed') return concludeFailed(work, fault, doing, event);
  if (event.event === 'journaled') return journaled(work, fault, event.record);
  const answers: Answer[] = event.event === 'answered' ? event.answers : [];
  switch (doing.what) {
    case 'observe':
      return observed(work, fault, answers);
    case 'before':
      return sampledBefore(work, fault, answers[0]);
    case 'act':
      return acted(work, fault);
    case 'refresh':
      return verify(work, fault, doing.index ?? 0);
    case 'verify':
      return nextUpkeep(work, fault, (doing.index ?? 0) + 1);
    case 'look':
      return looked(work, fault, answers[0]);
    case 'lastLook':
      return lastLooked(work, fault, answers[0]);
    case 'undo':
      return undone(work, fault, doing.index ?? 0);
    case 'after':
      return afterLooked(work, fault, answers[0]);
    case 'journal':
      return;
    default:
      return unreachable(doing.what);
  }
}

function concludeFailed(
  work: Work,
  fault: Fault,
  doing: Doing,
  event: Extract<AgentEvent, { event: 'failed' }>,
): void {
  const { message } = event;
  switch (doing.what) {
    case 'observe':
    case 'before':
    case 'journal':
      return refuse(work, fault, unprocessable([{ path: '', message }]));
    case 'act':
      update(work, fault, {
        wanted: { why: 'failed', error: message },
        receipt: { ...fault.receipt, effect: 'unseen', says: 'an act failed' },
      });
      return;
    case 'refresh':
    case 'verify':
      return upkeepFailed(work, fault, event.code, message);
    case 'look':
      return looked(work, fault, undefined);
    case 'lastLook':
      return lastLooked(work, fault, undefined);
    case 'undo':
      return undoFailed(work, fault, doing.index ?? 0, message);
    case 'after':
      return afterLooked(work, fault, undefined);
    default:
      return unreachable(doing.what);
  }
}

/** Every fault does what it can do now. Newest first: so recovery heals. */
function proceedAll(work: Work): void {
  let moved = true;
  while (moved) {
    moved = false;
    for (const key of [...work.faults.keys()].reverse())
      while (work.faults.has(key) && proceed(work, key)) moved = true;
  }
}

/** One move of one fault. @returns whether anything changed. */
function proceed(work: Work, key: string): boolean {
  const fault = current(work, key);
  if (hasEnded(fault.state) || fault.state === 'arming') return false;
  if (fault.doing) return letsGo(work, fault);
  if (fault.state === 'healing' || fault.state === 'stuck') healOn(work, fault);
  else if (fault.firedAtMs === undefined) waitArmed(work, fault);
  else stayInForce(work, fault);
  return work.faults.get(key) !== fault;
}

/** Whose end has come no longer waits for what it does, where that may be. */
function letsGo(work: Work, fault: Fault): boolean {
  if (holdsUpEnd(fault) || !endOf(fault, work.nowMs)) return false;
  update(work, fault, { doing: undefined });
  return true;
}
