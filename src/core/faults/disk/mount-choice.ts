import { Type } from 'typebox';
import type { Problem } from '../../base/problem.ts';
import type { Facts } from '../../model/fault.ts';
import type { DiskMountFacts, DiskQuery } from '../../model/query-disk.ts';

export const directoryField = Type.Optional(
  Type.String({
    pattern: '^/',
    maxLength: 4096,
    description:
      "a directory that the file system holds ('/var/lib/kafka/d1'); default: the only one there is",
  }),
);

/** The question that chooseMount() reads the answer of. */
export function mountsQuery(directory: string | undefined): DiskQuery {
  return directory === undefined ? { query: 'diskMounts' } : { query: 'diskMounts', directory };
}

function holds(mount: DiskMountFacts, directory: string): boolean {
  const { mountPoint } = mount;
  return mountPoint === '/' || directory === mountPoint || directory.startsWith(`${mountPoint}/`);
}

/** The directory without '//', '.' and a '/' at the end; '..' is for shells. */
function plain(directory: string): string {
  const parts = directory.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

function mountsOf(facts: Facts): DiskMountFacts[] {
  const fact = facts.find((each) => each.query === 'diskMounts');
  return fact?.query === 'diskMounts' ? fact.mounts : [];
}

/** The mount that a fault is about, or why there is none. `facts` answer mountsQuery(), too. */
export function chooseMount(directory: string | undefined, facts: Facts): DiskMountFacts | Problem {
  const mounts = mountsOf(facts);
  const names = mounts.map(({ mountPoint }) => mountPoint).join(', ');
  const found = names === '' ? 'none' : names;
  const remedy = `'faultline mount DIRECTORY DIRECTORY' before the broker starts`;
  if (directory === undefined && mounts.length !== 1) {
    const message =
      mounts.length === 0
        ? 'no file system of ours is mounted on this node'
        : `${mounts.length} file systems of ours are mounted on this node: say which`;
    return {
      path: '/directory',
      message,
      found,
      expected: mounts.length === 0 ? remedy : `'directory'`,
    };
  }
  const longest = [...mounts].sort((a, b) => b.mountPoint.length - a.mountPoint.length);
  const at = directory === undefined ? '' : plain(directory);
  const mount = directory === undefined ? mounts[0] : longest.find((each) => holds(each, at));
  if (mount === undefined) {
    const message = `no file system of ours holds ${directory}`;
    return { path: '/directory', message, found, expected: remedy };
  }
  if (mount.alive) return mount;
  const message = `the file-system process of ${mount.mountPoint} is dead`;
  return { path: '/directory', message, expected: `a new 'faultline mount', and the broker again` };
}

/** The mounts that lose power together: all there are, or the one that is named. */
export function chooseCut(
  directory: string | undefined,
  facts: Facts,
): DiskMountFacts[] | Problem[] {
  const all = mountsOf(facts).filter((mount) => mount.alive);
  if (directory !== undefined || all.length === 0) {
    const chosen = chooseMount(directory, facts);
    if ('message' in chosen) return [chosen];
    return forgetful([chosen]) ?? [chosen];
  }
  return forgetful(all) ?? all;
}

function forgetful(mounts: readonly DiskMountFacts[]): Problem[] | undefined {
  const problems = mounts
    .filter((mount) => !mount.tracking)
    .map(({ mountPoint }) => ({
      path: '/directory',
      message: `the file system at ${mountPoint} does not know what was not fsynced`,
      expected: `'faultline mount --track' before the broker writes`,
    }));
  return problems.length > 0 ? problems : undefined;
}
