import { existsSync, readFileSync, rmSync } from 'node:fs';
import { Failure } from '../../core/base/failure.ts';
import { removeCgroups, thaw } from './cgroups.ts';
import { placeOf } from './place.ts';
import { killMarked, signal } from './processes.ts';
import { makerAlive, readRecord } from './record.ts';
import { hostLinksOf, removeSwitch } from './switch-namespace.ts';

/** Mount points at or below a directory, in this mount namespace, innermost first. */
export function mountsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
    .filter((mount) => mount === directory || mount.startsWith(`${directory}/`))
    .toReversed();
}

/**
 * Takes a lab down, whatever is left of it: half made, crashed, or whole. Nothing of it is looked up
 * in its record; its processes carry its mark, its link its alias, and its files one directory.
 * @returns false: there was no such lab.
 * @throws Failure 'processes-remain', 'mounts-remain' naming what would not go.
 */
export async function takeDown(name: string): Promise<boolean> {
  const place = placeOf(name);
  if (process.getuid?.() !== 0) {
    throw new Failure('needs-root', 'taking a lab down needs root (sudo)', { definite: true });
  }
  const record = readRecord(place);
  // A lab still being made would go on being made behind our back.
  if (record !== undefined && record.maker.pid !== process.pid && makerAlive(record)) {
    if (record.state === 'making') signal(record.maker.pid, 'SIGKILL');
  }
  thaw(place);
  await killMarked(place.directory);
  await removeCgroups(place);
  const links = await hostLinksOf(place);
  const there = existsSync(place.directory);
  if (!there && links.length === 0) return false;
  await removeSwitch(place, mountsBelow(place.switchFile).length > 0);
  const left = mountsBelow(place.directory);
  if (left.length > 0) {
    throw new Failure('mounts-remain', `still mounted: ${left.join(', ')}`, { definite: false });
  }
  rmSync(place.directory, { recursive: true, force: true });
  return true;
}
