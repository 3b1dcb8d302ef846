import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../core/base/failure.ts';
import { makeTokenFile, readTokenFile } from '../http/tokens.ts';

/** What kafkatest looks for below its prefix (/opt), and what of ours stands there. */
const PLACES: Readonly<Record<string, string>> = {
  'kafka-dev/bin/trogdor.sh': 'compat/trogdor.sh',
  'kibosh/build/kibosh': 'compat/kibosh/kibosh',
};

/**
 * By this token agents and coordinator trust each other. Beside the link it is wherever the link is: in
 * an image, on a volume, in a tree that all nodes share. compat/trogdor.sh looks here.
 */
const TOKEN = 'kafka-dev/bin/trogdor.sh.faultline-token';

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
 * The token of the daemons that are started by our link: made, unless there is one; or that of a file,
 * for nodes that do not share this directory. @returns its path
 */
function installToken(prefix: string, from?: string): string {
  const path = join(prefix, TOKEN);
  if (from === undefined) {
    makeTokenFile(path);
    return path;
  }
  const text = readFileSync(from);
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
  return path;
}

/**
 * Puts our programs where kafkatest looks for Trogdor's and Kibosh's, as links into the checkout. Again,
 * it changes nothing. @returns what is there now, and where the token of its daemons is.
 * @throws Failure, before anything is done: 'no-compat' where the checkout lacks them, 'kept-already'
 * where what an earlier one has kept would be covered, 'bad-token-file'.
 */
export function installCompat(
  prefix: string,
  root: string,
  tokenFile?: string,
): { links: Installed[]; token: string } {
  if (tokenFile !== undefined) readTokenFile(tokenFile);
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
  const links = Object.entries(PLACES).map(([place, source]) => {
    const path = join(prefix, place);
    const target = join(root, source);
    const kept = `${path}${KEPT}`;
    mkdirSync(dirname(path), { recursive: true });
    if (isOurs(path, source)) rmSync(path);
    else if (there(path)) renameSync(path, kept);
    symlinkSync(target, path);
    return { path, target, kept: there(kept) ? kept : null };
  });
  return { links, token: installToken(prefix, tokenFile) };
}

/** Takes our links and the token away again and puts back what was there; what is not ours stays. */
export function uninstallCompat(prefix: string): Installed[] {
  rmSync(join(prefix, TOKEN), { force: true });
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
