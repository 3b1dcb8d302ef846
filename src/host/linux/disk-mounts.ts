import { closeSync, openSync } from 'node:fs';
import { unreachable } from '../../core/base/assert.ts';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { DiskAct } from '../../core/model/act-disk.ts';
import type { Capability } from '../../core/model/fault.ts';
import type { DiskAnswer, DiskMountFacts, DiskQuery } from '../../core/model/query-disk.ts';
import type { DiskState, FaultState } from '../fuse/disk-state.ts';
import { askDisk, isGone } from '../fuse/control-client.ts';
import { isWithin, ourMountAt, reachableMounts } from '../fuse/mounts.ts';
import { unmountLeftover } from '../fuse/supervise.ts';
import { fill, fillHolds, removeFill, spaceOf } from './disk-fill.ts';
import { bytesAre, fileAt, flip, flipBack } from './disk-flip.ts';
import type { Leftover } from './linux.ts';
import { cutPower, lostBy, wasCut } from './power-cut.ts';

/** How long a mount may take to say how it is; a change waits for the kernel's caches, too. */
const STATE_TIMEOUT_MS = 2_000;
const CHANGE_TIMEOUT_MS = 8_000;
const TOKEN = /^faultline-[0-9a-z]{1,32}$/;

type FaultOf = { token: string; mountPoint: string };

/** The state of a mount; undefined where no process answers for it. @throws Failure: it is slow. */
async function stateOf(mountPoint: string): Promise<DiskState | undefined> {
  try {
    const answer = await askDisk(mountPoint, 'GET', '/v1/disk', undefined, STATE_TIMEOUT_MS);
    return answer as DiskState;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function change(at: FaultOf, method: string, verb = '', body?: unknown): Promise<unknown> {
  const route = `/v1/disk/faults/${at.token}${verb}`;
  const text = body === undefined ? undefined : JSON.stringify(body);
  return askDisk(at.mountPoint, method, route, text, CHANGE_TIMEOUT_MS);
}

/** Nobody answers for a mount: what a dead process left is detached. */
async function lost(mountPoint: string): Promise<Failure> {
  const isDetached = await unmountLeftover(mountPoint);
  const how = isDetached ? ' has ended, and its mount is detached' : ' has ended';
  const isThere = ourMountAt(mountPoint) !== undefined;
  const says = isThere ? ' lives, but its control socket is not to be found' : how;
  const message = `the file-system process of ${mountPoint}${says}`;
  return new Failure('gone', message, { definite: true });
}

async function add(act: Extract<DiskAct, { act: 'disk.fault' }>): Promise<void> {
  const { entry, seed, leaseMs, deadlineMs, faultId } = act;
  const terms = deadlineMs === undefined ? { leaseMs } : { leaseMs, deadlineMs };
  await change(act, 'PUT', '', { ...entry, ...terms, seed, owner: faultId });
}

async function renew(act: Extract<DiskAct, { act: 'disk.fault.renew' }>): Promise<void> {
  const found = await faultAt(act);
  if (found === 'gone') throw await lost(act.mountPoint);
  if (found === undefined || found.endedBy !== undefined) {
    const how = found?.endedBy === undefined ? '' : ` (${found.endedBy})`;
    const message = `the file system at ${act.mountPoint} has ended the fault by itself${how}`;
    throw new Failure('expired', message, { definite: true });
  }
  await change(act, 'POST', '/renew', { leaseMs: act.leaseMs });
}

/** Nothing to remove where the process is gone: its faults went with it. */
async function remove(act: FaultOf): Promise<void> {
  try {
    await change(act, 'DELETE');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** What the mount says of a fault, also of one that has ended: nothing of one that never was there. */
async function faultAt(at: FaultOf): Promise<FaultState | 'gone' | undefined> {
  const route = `/v1/disk/faults/${at.token}`;
  try {
    const found = await askDisk(at.mountPoint, 'GET', route, undefined, STATE_TIMEOUT_MS);
    return found as FaultState;
  } catch (error) {
    if (isGone(error)) return 'gone';
    if (error instanceof Failure && error.code === 'refused') return undefined;
    throw error;
  }
}

async function stands(at: FaultOf): Promise<boolean> {
  const found = await faultAt(at);
  return typeof found === 'object' && found.endedBy === undefined;
}

export async function performDisk(act: DiskAct): Promise<void> {
  switch (act.act) {
    case 'disk.fault':
      return add(act);
    case 'disk.fault.renew':
      return renew(act);
    case 'disk.fault.remove':
      return remove(act);
    case 'disk.powercut':
      return cutPower(act);
    case 'disk.fill':
      return fill(act);
    case 'disk.fill.remove':
      return removeFill(act);
    case 'disk.flip':
      return flip(act);
    case 'disk.flip.undo':
      return flipBack(act);
    case 'disk.unmount':
      if ((await stateOf(act.mountPoint)) === undefined) await unmountLeftover(act.mountPoint);
      return;
    default:
      return unreachable(act);
  }
}

export async function diskHolds(act: DiskAct): Promise<boolean> {
  switch (act.act) {
    case 'disk.fault':
    case 'disk.fault.renew':
      return stands(act);
    case 'disk.fault.remove':
      return !(await stands(act));
    case 'disk.powercut':
      return wasCut(act);
    case 'disk.fill':
    case 'disk.fill.remove':
      return fillHolds(act);
    case 'disk.flip':
      return bytesAre(act.path, act.windows);
    case 'disk.flip.undo':
      return !(await bytesAre(act.path, act.windows));
    case 'disk.unmount':
      return !reachableMounts().includes(act.mountPoint);
    default:
      return unreachable(act);
  }
}

/** @param directory where it is about one: what does not hold it may be slow, and holds nobody up. */
async function factsOf(mountPoint: string, directory?: string): Promise<DiskMountFacts> {
  let state;
  try {
    state = await stateOf(mountPoint);
  } catch (error) {
    if (directory === undefined || isWithin(directory, mountPoint)) throw error;
    return { mountPoint, target: '', alive: true, tracking: false };
  }
  return {
    mountPoint,
    target: state?.target ?? '',
    alive: state !== undefined,
    tracking: state?.tracking === true,
  };
}

/** @param stateDirectory the agent's own: disk.fill refuses its file system, disk.flip its files. */
export async function answerDisk(
  query: DiskQuery,
  stateDirectory: string | undefined,
): Promise<DiskAnswer> {
  switch (query.query) {
    case 'diskMounts': {
      const facts = reachableMounts().map((mountPoint) => factsOf(mountPoint, query.directory));
      return { query: 'diskMounts', mounts: await Promise.all(facts) };
    }
    case 'diskFault': {
      const found = await faultAt(query);
      const inForce = typeof found === 'object' && found.endedBy === undefined;
      const { matched, hits } = typeof found === 'object' ? found : { matched: 0, hits: 0 };
      return { query: 'diskFault', inForce, matched, hits };
    }
    case 'diskPowerCut':
      return { query: 'diskPowerCut', ...lostBy(query.token) };
    case 'diskSpace':
      return spaceOf(query.directory, stateDirectory);
    case 'diskFile':
      return fileAt(query, stateDirectory);
    case 'diskBytes':
      return { query: 'diskBytes', same: await bytesAre(query.path, query.windows) };
    default:
      return unreachable(query);
  }
}

/** Mounts whose process is dead, and faults that carry our mark. */
export async function diskLeftovers(): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const mountPoint of reachableMounts()) {
    // One that does not answer must not hide what else is left: it is told when it is to be removed.
    const state = await stateOf(mountPoint).catch(() => undefined);
    if (state === undefined) {
      const says = `mount at ${mountPoint} whose file-system process is dead, or does not answer`;
      found.push({ says, remove: { act: 'disk.unmount', mountPoint } });
      continue;
    }
    for (const { id: token, kind, owner, endedBy } of state.faults) {
      if (!TOKEN.test(token) || endedBy !== undefined) continue;
      const says = `disk fault ${token} (${kind}) at ${mountPoint}`;
      const remove = { act: 'disk.fault.remove' as const, token, mountPoint };
      found.push({ says, faultId: owner, remove });
    }
  }
  return found;
}

/** A mount of ours, or the means to make one. */
export async function tryDiskMount(): Promise<Omit<Capability, 'need'>> {
  // Whether its process answers is asked for each fault; here it may still be starting.
  const mounted = reachableMounts();
  if (mounted.length > 0) return { met: true, why: `mounted at ${mounted.join(', ')}` };
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
    return { met: true, why: "nothing is mounted yet, but 'faultline mount' can be" };
  } catch (error) {
    return { met: false, why: `no file system of ours is mounted, nor can be: ${reasonOf(error)}` };
  }
}
