import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { Failure, reasonOf } from '../core/base/failure.ts';
import { initialState } from '../core/agent/state.ts';
import { statusOf } from '../core/agent/status.ts';
import type { AgentFaultStatus } from '../core/model/fault-status.ts';
import { hasEnded, type EndedBy } from '../core/model/lifecycle.ts';
import { AgentDriver } from './agent/driver.ts';
import { birthTicks, bootClock } from './boot-clock.ts';
import { readBootId } from './clock.ts';
import { openJournalFile, SlotJournal } from './journal.ts';
import { closeDescriptor, pidfdOpen, pidfdSendSignal } from './linux/libc.ts';
import type { Linux } from './linux/linux.ts';
import { lockState, type LockHolder } from './lock.ts';

/** After a kill, the lock is free as soon as the kernel has buried the process. */
const LOCK_WAIT_MS = 5_000;

export interface HealReport {
  /** An agent holds the directory, and heals by itself: nothing was done here. */
  leftToAgent?: LockHolder;
  /** What the journal held open, and how it ended. */
  faults: AgentFaultStatus[];
  /** What carried our mark without a record, and was removed. */
  removed: string[];
  /** What could not be undone or removed, and why. */
  failed: string[];
}

/**
 * Heals a node with no daemon at all: the journal's open undos, newest first, then whatever else
 * carries our mark. Called by the guard, and by `faultline heal --offline`.
 * @param options.kill an agent that hangs: ended first, if it is still that very process.
 * @throws Failure where the state directory or its journal can't be used.
 */
export async function healOffline(options: {
  stateDirectory: string;
  linux: Linux;
  by: EndedBy;
  kill?: { pid: number; birthTicks: number };
}): Promise<HealReport> {
  const { stateDirectory, linux, kill } = options;
  if (!existsSync(stateDirectory))
    throw new Failure('state-directory', `there is no state directory ${stateDirectory}`, {
      definite: true,
    });
  if (kill) endProcess(kill);
  let lock;
  try {
    lock = await lockState(stateDirectory, 'healer', {
      waitMs: LOCK_WAIT_MS,
      waitFor: (holder) => holder === undefined || isGone(holder) || holder.pid === kill?.pid,
    });
  } catch (error) {
    const holder = error instanceof Failure ? (error.context['holder'] as LockHolder) : undefined;
    if (holder?.role !== 'agent') throw error;
    return { leftToAgent: holder, faults: [], removed: [], failed: [] };
  }
  try {
    return await healLocked(stateDirectory, linux, options.by);
  } finally {
    lock.release();
  }
}

/** SIGKILL through a pidfd: a reused pid is never hit. A process that is gone is what is wanted. */
function endProcess(kill: { pid: number; birthTicks: number }): void {
  const fd = pidfdOpen(kill.pid);
  if (typeof fd === 'string') return;
  try {
    if (birthTicks(kill.pid) === kill.birthTicks) pidfdSendSignal(fd, constants.signals.SIGKILL);
  } finally {
    closeDescriptor(fd);
  }
}

function isGone(holder: LockHolder): boolean {
  return birthTicks(holder.pid) !== holder.birthTicks;
}

async function healLocked(stateDirectory: string, linux: Linux, by: EndedBy): Promise<HealReport> {
  const failed: string[] = [];
  const file = await openJournalFile(join(stateDirectory, 'journal'));
  const { journal, entries } = await SlotJournal.open(file, (error) => {
    failed.push(`the journal can't be written: ${reasonOf(error)}`);
  });
  const driver = new AgentDriver(
    {
      linux,
      journal,
      clock: bootClock,
      beat: () => undefined,
      remember: () => Promise.resolve(),
      onStatus: () => undefined,
      onBug: (error) => failed.push(`a bug: ${reasonOf(error)}`),
    },
    initialState({
      node: entries[0]?.arm.node ?? '',
      bootId: readBootId(),
      agentPort: 0,
      ownNodes: [],
    }),
  );
  const open = new Set(
    entries.filter((entry) => !hasEnded(entry.progress.state)).map((entry) => entry.serial),
  );
  await driver.recover(entries, by);
  driver.close();
  await journal.idle();
  await file.close();
  const faults = [...driver.state.faults.values()]
    .filter((fault) => open.has(fault.record ?? -1))
    .map((fault) => statusOf(fault, driver.state.node));
  for (const fault of faults)
    for (const undo of fault.openUndos) failed.push(`${fault.id}: ${undo.says}: ${undo.lastError}`);
  const removed = await removeLeftovers(linux, failed);
  return { faults, removed, failed };
}

async function removeLeftovers(linux: Linux, failed: string[]): Promise<string[]> {
  const removed: string[] = [];
  try {
    for (const leftover of await linux.leftovers()) {
      try {
        await linux.perform(leftover.remove);
        removed.push(leftover.says);
      } catch (error) {
        failed.push(`${leftover.says}: ${reasonOf(error)}`);
      }
    }
  } catch (error) {
    failed.push(`what else is left could not be listed: ${reasonOf(error)}`);
  }
  return removed;
}
