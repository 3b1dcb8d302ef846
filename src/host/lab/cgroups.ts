import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCgroups, type CgroupHierarchy } from '../../core/codec/cgroup.ts';
import { shortHash } from '../../core/base/hash.ts';
import { Failure } from '../../core/base/failure.ts';
import type { LabPlace } from './place.ts';

/** Version 1 controllers a fresh group works with at once (cpuset does not: it begins empty). */
const CONTROLLERS = ['memory', 'cpu', 'cpuacct', 'blkio', 'pids', 'freezer'];

/** The mounted hierarchies that nodes get a part of. */
function hierarchies(): CgroupHierarchy[] {
  return parseCgroups(readFileSync('/proc/self/mountinfo', 'utf8'), '').filter(
    ({ version, controllers }) =>
      version === 2 || controllers.some((controller) => CONTROLLERS.includes(controller)),
  );
}

/** The lab's group in a hierarchy: by its directory, so that it is found with nothing recorded. */
const groupOf = (place: LabPlace, { mountPoint }: CgroupHierarchy): string =>
  join(mountPoint, `faultline-lab-${shortHash(place.directory)}`);

/** Writes to a control file. @returns false: this kernel or container does not allow it. */
function tell(file: string, value: string): boolean {
  try {
    writeFileSync(file, value);
    return true;
  } catch {
    // Read-only in many containers, absent in old kernels: the node then shares the host's groups.
    return false;
  }
}

function makeGroup(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    return true;
  } catch {
    // Not writable here, as above.
    return false;
  }
}

/** Version 2: lets the groups below use every controller this group has. */
function passControllersOn(group: string): void {
  const file = join(group, 'cgroup.controllers');
  if (!existsSync(file)) return;
  for (const controller of readFileSync(file, 'utf8').trim().split(' ')) {
    if (controller !== '') tell(join(group, 'cgroup.subtree_control'), `+${controller}`);
  }
}

/**
 * Makes a node's control groups, one a hierarchy. What the node's agent makes for its load faults
 * then lies below, and goes with the lab.
 * @returns the `cgroup.procs` files through which the node's first process enters them.
 */
export function makeCgroups(place: LabPlace, node: string): string[] {
  return hierarchies().flatMap((hierarchy) => {
    const lab = groupOf(place, hierarchy);
    const group = join(lab, node);
    if (!makeGroup(lab)) return [];
    if (hierarchy.version === 2) passControllersOn(lab);
    return makeGroup(group) ? [join(group, 'cgroup.procs')] : [];
  });
}

/**
 * Version 2 allows controllers below a group only while no process is in the group itself: the
 * processes that make the node move into a leaf.
 */
export function leaveRootOfNode(place: LabPlace, node: string, pids: readonly number[]): void {
  for (const hierarchy of hierarchies().filter((one) => one.version === 2)) {
    const group = join(groupOf(place, hierarchy), node);
    if (!existsSync(group) || !makeGroup(join(group, 'init'))) continue;
    for (const pid of pids) tell(join(group, 'init', 'cgroup.procs'), String(pid));
    passControllersOn(group);
  }
}

/** The `cgroup.procs` files through which one more process enters a node's groups. */
export function entrancesOf(place: LabPlace, node: string): string[] {
  return hierarchies()
    .map((one) => join(groupOf(place, one), node, one.version === 2 ? 'init' : '', 'cgroup.procs'))
    .filter((file) => existsSync(file));
}

/** The groups of a lab, deepest first. */
function groupsBelow(group: string): string[] {
  if (!existsSync(group)) return [];
  const children = readdirSync(group, { withFileTypes: true }).filter((one) => one.isDirectory());
  return [...children.flatMap((child) => groupsBelow(join(group, child.name))), group];
}

const groupsOfLab = (place: LabPlace): string[] =>
  hierarchies().flatMap((hierarchy) => groupsBelow(groupOf(place, hierarchy)));

/** Version 1: a frozen process does not die of SIGKILL until it is thawed. */
export function thaw(place: LabPlace): void {
  for (const group of groupsOfLab(place)) {
    const file = join(group, 'freezer.state');
    if (existsSync(file)) tell(file, 'THAWED');
  }
}

/** @throws Failure 'cgroups-remain' naming those that still hold a process. */
export async function removeCgroups(place: LabPlace, timeoutMs = 5000): Promise<void> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const left = groupsOfLab(place).filter((group) => {
      try {
        rmdirSync(group);
        return false;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code !== 'ENOENT';
      }
    });
    if (left.length === 0) return;
    if (performance.now() > until) {
      const message = `control groups would not go: ${left.join(', ')}`;
      throw new Failure('cgroups-remain', message, { definite: false });
    }
    await sleep(20);
  }
}
