import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './needs.ts';

export const PACKAGE = join(ROOT, 'python');

/** Every Python of this machine that the package is for, one of a version: '3.11' to its path. */
export function pythons(): ReadonlyMap<string, string> {
  const version = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const found = new Map<string, string>();
  const places = [
    'python3',
    ...[9, 10, 11, 12, 13, 14].map((minor) => `python3.${minor}`),
    ...globSync(join(homedir(), '.pyenv', 'versions', '3.*', 'bin', 'python3')),
  ];
  for (const place of places) {
    const { status, stdout } = spawnSync(place, ['-c', version], { encoding: 'utf8' });
    const [, minor] = /^3\.(\d+)\n$/.exec(status === 0 ? stdout : '') ?? [];
    if (minor !== undefined && Number(minor) >= 9 && !found.has(`3.${minor}`)) {
      found.set(`3.${minor}`, place);
    }
  }
  return found;
}
