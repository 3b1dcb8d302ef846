import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCgroups, type CgroupHierarchy } from '../../core/codec/cgroup.ts';
import { shortHash } from '../../core/base/hash.ts';
import { Failure } from '../../core/base/failure.ts';

/*
 * Groups of ours are made at the top of every hierarchy, as far as this process sees it: beside the
 * agent's own group, so that what is done to that one (a limit, a kill) is not done to them, and
 * found again by whoever heals, from wherever it was started.
 */

/** What a load is kept apart in. */
const LOAD = ['memory', 'cpu'];
/** Where a kill, a freeze or a limit of the agent would take its guard along. */
const GUARD = ['memory', 'cpu', 'cpuacct', 'freezer', 'pids', 'name=systemd'];
/** A load's group carries the fault's token. */
const OF_LOAD = /^faultline-[0-9a-z]{1,32}$/;
const OF_GUARD = /^faultline-guard-[0-9a-z]+-[0-9]+$/;
/** The weight of one thread at the top of a hierarchy of version 1. */
const SHARES_OF_THREAD = 1024;
const GONE_WITHIN_MS = 1_000;

function hierarchies(controllers?: readonly string[]): CgroupHierarchy[] {
  const all = parseCgroups(
    readFileSync('/proc/self/mountinfo', 'utf8'),
    readFileSync('/proc/self/cgroup', 'utf8'),
  );
  return all.filter(
    (one) =>
      existsSync(join(one.mountPoint, 'cgroup.procs')) &&
      (controllers === undefined ||
        one.version === 2 ||
        one.controllers.some((controller) => controllers.includes(controller))),
  );
}

function made(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    return existsSync(join(directory, 'cgroup.procs'));
  } catch {
    // Read-only in many containers: things are then kept where the agent is.
    return false;
  }
}

function tell(file: string, value: string): void {
  try {
    writeFileSync(file, value);
  } catch {
    // A kernel or container that does not allow it: the group works without.
  }
}

/**
 * Makes the groups of a load, one a hierarchy; as many threads as `workers` weigh as much in it as
 * they would outside.
 * @returns the `cgroup.procs` files to enter through; none where no group may be made here.
 */
export function makeLoadGroups(token: string, workers: number): string[] {
  return hierarchies(LOAD).flatMap(({ mountPoint }) => {
    const group = join(mountPoint, token);
    if (!made(group)) return [];
    const shares = join(group, 'cpu.shares');
    if (existsSync(shares)) tell(shares, String(SHARES_OF_THREAD * workers));
    return [join(group, 'cgroup.procs')];
  });
}

/** Tries it with a group of no use. @returns what a load is kept apart in here, in words. */
export function tryLoadGroups(token: string): string {
  const entrances = makeLoadGroups(token, 1);
  const found = hierarchies(LOAD).filter(({ mountPoint }) =>
    entrances.includes(join(mountPoint, token, 'cgroup.procs')),
  );
  const names = found.flatMap(({ version, mountPoint, controllers }) =>
    version === 1
      ? controllers
      : controllersOf(join(mountPoint, token)).filter((name) => LOAD.includes(name)),
  );
  for (const { mountPoint } of found) removed(join(mountPoint, token));
  if (entrances.length === 0) return 'no control group of their own (none is writable)';
  return `control groups of their own (${names.join(', ') || 'without controllers'})`;
}

function controllersOf(group: string): string[] {
  return readFileSync(join(group, 'cgroup.controllers'), 'utf8').trim().split(' ');
}

/** @returns false where a process is still in it. */
function removed(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function groupsNamed(name: string): string[] {
  return hierarchies()
    .map(({ mountPoint }) => join(mountPoint, name))
    .filter((group) => existsSync(group));
}

export function groupExists(name: string): boolean {
  return groupsNamed(name).length > 0;
}

/** Removes groups of ours whose processes have ended. @throws Failure 'control-group-busy' */
export async function removeGroups(name: string): Promise<void> {
  if (!OF_LOAD.test(name) && !OF_GUARD.test(name)) {
    throw new Failure('control-group', `'${name}' is no control group of ours`, { definite: true });
  }
  for (let waited = 0; ; waited += 5) {
    const left = groupsNamed(name).filter((group) => !removed(group));
    if (left.length === 0) return;
    if (waited >= GONE_WITHIN_MS) {
      const message = `a process is still in the control group ${left[0]}`;
      throw new Failure('control-group-busy', message, { definite: false });
    }
    await sleep(5);
  }
}

/** Groups of ours with no process in them: of loads that have ended, and of guards that are dead. */
export function emptyGroups(): string[] {
  const names = new Set(
    hierarchies().flatMap(({ mountPoint }) =>
      readdirSync(mountPoint).filter((name) => OF_LOAD.test(name) || OF_GUARD.test(name)),
    ),
  );
  return [...names].filter((name) => groupsNamed(name).every(isEmpty)).sort();
}

function isEmpty(group: string): boolean {
  try {
    return readFileSync(join(group, 'cgroup.procs'), 'utf8').trim() === '';
  } catch {
    // It went while we looked.
    return true;
  }
}

/**
 * Makes the groups of a guard, of this agent and no other, and removes those of earlier ones.
 * @returns lines for guard.sh: a group, the group it came from, and so on.
 */
export function makeGuardGroups(stateDirectory: string): string[] {
  const prefix = `faultline-guard-${shortHash(stateDirectory)}-`;
  return hierarchies(GUARD).flatMap(({ mountPoint, own }) => {
    for (const name of readdirSync(mountPoint))
      if (name.startsWith(prefix)) removed(join(mountPoint, name));
    const group = join(mountPoint, `${prefix}${process.pid}`);
    return made(group) ? [group, own] : [];
  });
}

/** A process that a healer has started (a broker) is not the guard's: it leaves the guard's groups. */
export function leaveGuardGroups(pid: number): void {
  for (const { mountPoint, own } of hierarchies(GUARD))
    if (OF_GUARD.test(basename(own))) tell(join(mountPoint, 'cgroup.procs'), String(pid));
}
