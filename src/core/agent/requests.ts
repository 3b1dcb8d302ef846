import { hasEnded } from '../model/lifecycle.ts';
import { bury } from './heal.ts';
import { FIRE_LATE_MAX_MS, keyOf, latest, type Cause, type Fault } from './state.ts';
import { progressOf, statusOf } from './status.ts';
import { reply, update, type Work } from './work.ts';

const notFound = (id: string) => ({ status: 404 as const, detail: `there is no fault '${id}'` });

/** An armed fault gets its instant. */
export function requestFire(
  work: Work,
  ticket: number,
  request: { id: string; instance: number; atBootMs: number },
): void {
  const { id, instance, atBootMs } = request;
  const fault = work.faults.get(keyOf(id, instance));
  if (!fault) return reply(work, ticket, notFound(id));
  if (fault.firedAtMs !== undefined && fault.state !== 'cancelled' && fault.state !== 'missed')
    return reply(work, ticket, { status: 200, body: statusOf(fault, work.state.node) });
  if (fault.state !== 'armed' || fault.wanted) {
    const detail = `fault '${id}' is ${fault.state}, not armed`;
    return reply(work, ticket, { status: 409, detail });
  }
  const lateMs = work.nowMs - atBootMs;
  if (lateMs > FIRE_LATE_MAX_MS) {
    const error = `it was told to fire ${Math.round(lateMs)} ms after its instant`;
    update(work, fault, { wanted: { why: 'missed', error } });
    return reply(work, ticket, { status: 409, detail: `missed: ${error}` });
  }
  if (-lateMs > work.state.limits.durationMs)
    return reply(work, ticket, { status: 422, detail: 'the instant is too far away' });
  const next = update(work, fault, { fireAtMs: atBootMs });
  if (next.record !== undefined)
    work.effects.push({ effect: 'progress', record: next.record, progress: progressOf(next) });
  reply(work, ticket, { status: 202, body: statusOf(next, work.state.node) });
}

/** Asks for the end of a fault; its own machinery does the rest. */
export function want(work: Work, fault: Fault, cause: Cause): void {
  if (hasEnded(fault.state) || fault.cause || fault.wanted) return;
  update(work, fault, { wanted: cause });
}

export function requestHeal(work: Work, ticket: number, id: string): void {
  const fault = latest(work.faults, id);
  if (!fault) return reply(work, ticket, notFound(id));
  const ended = hasEnded(fault.state);
  want(work, fault, { why: 'request' });
  reply(work, ticket, { status: ended ? 200 : 202, body: statusOf(fault, work.state.node) });
}

function close(work: Work, closed: boolean): void {
  work.state = { ...work.state, closed };
  work.effects.push({ effect: 'remember', closed });
}

/** Everything heals, and nothing new is taken until `resume`. */
export function requestHealAll(work: Work, ticket: number): void {
  close(work, true);
  const open = [...work.faults.values()].filter((fault) => !hasEnded(fault.state));
  for (const fault of open) want(work, fault, { why: 'request' });
  reply(work, ticket, { status: 202, body: { healing: open.map((fault) => fault.id) } });
}

export function requestResume(work: Work, ticket: number): void {
  close(work, false);
  reply(work, ticket, { status: 200, body: { closed: false } });
}

export function requestForget(work: Work, ticket: number, id: string, instance: number): void {
  const fault = work.faults.get(keyOf(id, instance));
  if (!fault) return reply(work, ticket, notFound(id));
  if (!hasEnded(fault.state))
    return reply(work, ticket, { status: 409, detail: `fault '${id}' is ${fault.state}` });
  bury(work, fault);
  reply(work, ticket, { status: 200, body: { id, instance } });
}

/**
 * The owner names what still stands: those leases are renewed, its other faults heal. A fault that is
 * still being armed is left alone: its owner waits for it.
 */
export function renewLeases(
  work: Work,
  ticket: number,
  owner: string,
  named: readonly { id: string; instance: number }[],
): void {
  const keys = new Set(named.map((each) => keyOf(each.id, each.instance)));
  const renewed: string[] = [];
  const healing: string[] = [];
  for (const fault of work.faults.values()) {
    if (fault.owner !== owner || hasEnded(fault.state) || fault.state === 'arming') continue;
    const standing = !fault.wanted && !fault.cause;
    if (keys.has(fault.key) && standing) {
      renewed.push(fault.id);
      if (fault.leaseMs !== undefined)
        update(work, fault, { leaseEndsMs: work.nowMs + fault.leaseMs });
    } else {
      if (standing) want(work, fault, { why: 'request', error: 'its owner no longer names it' });
      healing.push(fault.id);
    }
  }
  reply(work, ticket, { status: 200, body: { renewed, healing } });
}

/** The daemon stops: nobody asked for the faults to end, so they end early. */
export function requestStop(work: Work): void {
  work.state = { ...work.state, stopping: true };
  for (const fault of work.faults.values()) want(work, fault, { why: 'agentRestart' });
}
