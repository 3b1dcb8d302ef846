import { hasEnded } from '../model/lifecycle.ts';
import { KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import { armedUntil, holdsUpEnd, stepDue } from './force.ts';
import { HEALING_GRACE_MS, type AgentState, type Fault } from './state.ts';
import { deadlineOf } from './status.ts';

const least = (...instants: (number | undefined)[]): number =>
  Math.min(...instants.map((instant) => instant ?? Infinity));

/** The next instant at which a fault does something by itself. */
function dueOf(fault: Fault): number {
  const isBusy = fault.doing !== undefined && holdsUpEnd(fault);
  if (isBusy || hasEnded(fault.state) || fault.state === 'arming') return Infinity;
  if (fault.state === 'stuck') return fault.retryAtMs ?? Infinity;
  if (fault.state === 'healing') return Infinity;
  if (fault.firedAtMs === undefined)
    return least(fault.fireAtMs ?? armedUntil(fault), fault.leaseEndsMs);
  const expiry =
    fault.refreshedAtMs === undefined ? undefined : fault.refreshedAtMs + KERNEL_TIMEOUT_MS;
  // What ends it is not held up by that; everything else waits for it.
  if (fault.doing) return least(deadlineOf(fault), fault.leaseEndsMs, expiry);
  return least(
    deadlineOf(fault),
    fault.leaseEndsMs,
    expiry,
    stepDue(fault),
    fault.nextRefreshMs,
    fault.nextLookMs,
  );
}

/** When the machine wants its next `tick`, on CLOCK_BOOTTIME in ms; `precise`: somebody fires then. */
export function nextDue(state: AgentState): { atMs: number; precise: boolean } | undefined {
  let atMs = Infinity;
  let precise = false;
  for (const fault of state.faults.values()) {
    const due = dueOf(fault);
    if (due > atMs) continue;
    const fires = fault.firedAtMs === undefined && fault.fireAtMs === due;
    precise = due === atMs ? precise || fires : fires;
    atMs = due;
  }
  return atMs === Infinity ? undefined : { atMs, precise };
}

/**
 * The instant by which the agent must have shown life, or the guard takes over: the earliest deadline
 * or lease end of what is in force, and a grace for what heals. A stuck fault is retried, not hung.
 */
export function guardDue(state: AgentState): number | undefined {
  let atMs = Infinity;
  for (const fault of state.faults.values()) {
    if (hasEnded(fault.state) || fault.state === 'stuck') continue;
    if (fault.state === 'healing')
      atMs = least(atMs, (fault.healingSinceMs ?? 0) + HEALING_GRACE_MS);
    else if (fault.firedAtMs !== undefined)
      atMs = least(atMs, deadlineOf(fault), fault.leaseEndsMs);
  }
  return atMs === Infinity ? undefined : atMs;
}
