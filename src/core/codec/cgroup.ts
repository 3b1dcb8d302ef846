/**
 * Where control groups are, out of /proc/self/mountinfo and /proc/self/cgroup (proc_pid_mountinfo(5),
 * cgroups(7)).
 *
 *   mountinfo := id parent dev root mountPoint options optional* ' - ' type source superOptions
 *   cgroup    := hierarchy ':' controllers ':' path        version 2: hierarchy 0, no controllers
 */

/** A mounted cgroup hierarchy, and where in it this process is. */
export interface CgroupHierarchy {
  version: 1 | 2;
  mountPoint: string;
  /** Version 1: its controllers, or 'name=systemd'. Version 2: a group's own files say. */
  controllers: string[];
  /** The directory of this process's own group. */
  own: string;
}

/** Spaces, tabs, newlines and backslashes stand as octal numbers. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function pathIn(selfCgroup: string, controllers: readonly string[]): string {
  for (const line of selfCgroup.split('\n')) {
    const [, names = '', ...path] = line.split(':');
    const isIt =
      controllers.length === 0 ? names === '' : controllers.includes(names.split(',')[0] ?? '');
    if (isIt && path.length > 0) return path.join(':');
  }
  return '/';
}

/** Every hierarchy that is mounted; of several at one place the last, which covers the others. */
export function parseCgroups(mountinfo: string, selfCgroup: string): CgroupHierarchy[] {
  const found = new Map<string, CgroupHierarchy>();
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', mountPoint = ''] = before.split(' ').map(unescaped);
    const [type, , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const flags = options.split(',').filter((option) => !['rw', 'ro', 'xattr'].includes(option));
    const controllers = type === 'cgroup' ? flags : [];
    const path = pathIn(selfCgroup, controllers);
    // A mount may show a part of the hierarchy: what is outside of it has no directory here.
    const inside =
      root === '/' ? path : path.startsWith(`${root}/`) ? path.slice(root.length) : '/';
    const own = inside === '/' ? mountPoint : `${mountPoint}${inside}`;
    const version = type === 'cgroup' ? 1 : 2;
    found.set(mountPoint, { version, mountPoint, controllers, own });
  }
  return [...found.values()];
}
