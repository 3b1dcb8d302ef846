import {
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../core/base/failure.ts';

/** What kafkatest looks for below its prefix (/opt), and what of ours stands there. */
const PLACES: Readonly<Record<string, string>> = {
  'kafka-dev/bin/trogdor.sh': 'compat/trogdor.sh',
  'kibosh/build/kibosh': 'compat/kibosh/kibosh',
};

/** What was there before is kept under this name. */
const KEPT = '.before-faultline';

export interface Installed {
  path: string;
  /** What it leads to; null: nothing of ours is there any more. */
  target: string | null;
  /** Where that which was there before is kept; null: there was nothing. */
  kept: string | null;
}

const there = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Whether a link is to a compat/ of ours, of this checkout or of another. */
function isOurs(path: string, source: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSymbolicLink() === true && readlinkSync(path).endsWith(`/${source}`);
}

/**
 * Puts our programs where kafkatest looks for Trogdor's and Kibosh's, as links into the checkout. Again,
 * it changes nothing. @throws Failure, before anything is done: 'no-compat' where the checkout lacks
 * them, 'kept-already' where what an earlier one has kept would be covered.
 */
export function installCompat(prefix: string, root: string): Installed[] {
  const missing = Object.values(PLACES).filter((source) => !existsSync(join(root, source)));
  if (missing.length > 0) {
    const message = `not in ${root}: ${missing.join(', ')}; update the checkout`;
    throw new Failure('no-compat', message, { definite: true });
  }
  const covered = Object.entries(PLACES).flatMap(([place, source]) => {
    const path = join(prefix, place);
    const wouldCover = there(path) && !isOurs(path, source) && there(`${path}${KEPT}`);
    return wouldCover ? [`${path}${KEPT}`] : [];
  });
  if (covered.length > 0) {
    const where = covered.join(', ');
    const message = `what an earlier one has kept would be lost: ${where}; move it away`;
    throw new Failure('kept-already', message, { definite: true });
  }
  return Object.entries(PLACES).map(([place, source]) => {
    const path = join(prefix, place);
    const target = join(root, source);
    const kept = `${path}${KEPT}`;
    mkdirSync(dirname(path), { recursive: true });
    if (isOurs(path, source)) rmSync(path);
    else if (there(path)) renameSync(path, kept);
    symlinkSync(target, path);
    return { path, target, kept: there(kept) ? kept : null };
  });
}

/** Takes our links away again and puts back what was there; what is not ours stays. */
export function uninstallCompat(prefix: string): Installed[] {
  return Object.entries(PLACES).map(([place, source]) => {
    const path = join(prefix, place);
    const kept = `${path}${KEPT}`;
    if (!isOurs(path, source)) return { path, target: null, kept: null };
    rmSync(path);
    if (!there(kept)) return { path, target: null, kept: null };
    renameSync(kept, path);
    return { path, target: null, kept: path };
  });
}
