import { readFileSync } from 'node:fs';

export interface MountEntry {
  mountPoint: string;
  type: string;
  source: string;
  /** 'major:minor', the name under /sys/class/bdi. */
  device: string;
}

/** Undoes the octal escapes of mountinfo (space, tab, newline, backslash). */
function unescape(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The mounts of this process's namespace, oldest first (proc(5), /proc/PID/mountinfo). */
export function readMounts(text = readFileSync('/proc/self/mountinfo', 'latin1')): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const [before, after] = line.split(' - ');
    const left = before?.split(' ') ?? [];
    const right = after?.split(' ') ?? [];
    if (left.length < 6 || right.length < 2) continue;
    entries.push({
      mountPoint: unescape(left[4] ?? ''),
      device: left[2] ?? '',
      type: right[0] ?? '',
      source: unescape(right[1] ?? ''),
    });
  }
  return entries;
}

export const FILE_SYSTEM_TYPE = 'fuse.faultline';

/** The newest mount at a place, if it is one of ours. */
export function ourMountAt(mountPoint: string): MountEntry | undefined {
  const here = readMounts().filter((entry) => entry.mountPoint === mountPoint);
  const newest = here.at(-1);
  return newest?.type === FILE_SYSTEM_TYPE ? newest : undefined;
}

/**
 * The places of this mount namespace where one of our file systems is on top, and can be reached:
 * the kernel lists mounts in the order they were made, so what covers one comes after it.
 */
export function reachableMounts(): string[] {
  const mounts = readMounts();
  return mounts
    .filter(({ type, mountPoint }, index) => {
      if (type !== FILE_SYSTEM_TYPE) return false;
      return !mounts.slice(index + 1).some((later) => isWithin(mountPoint, later.mountPoint));
    })
    .map(({ mountPoint }) => mountPoint);
}

/** Whether a path is a directory, or leads into it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || directory === '/' || path.startsWith(`${directory}/`);
}
