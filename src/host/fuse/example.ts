import { opendirSync, statSync } from 'node:fs';
import { matchesPath, type Rule } from '../../core/disk/rule.ts';

/** A walk keeps everybody waiting who asks the control something. */
const MOST_NAMES = 20_000;
/** What became of a byte that is no UTF-8: such a name can't be told. */
const REPLACED = '\ufffd';

/**
 * A file that a rule takes, and in which there is something to read. It is looked for in the directory
 * that is shown, not in the mount: we never use our own.
 * @param root path of that directory.
 * @returns its path from there; undefined where there is none among the first names.
 */
export function exampleOf(root: string, rule: Rule): string | undefined {
  const directories = [''];
  let looked = 0;
  for (let at = directories.shift(); at !== undefined; at = directories.shift()) {
    using directory = opendirSync(`${root}/${at}`);
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (++looked > MOST_NAMES) return undefined;
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.name.includes(REPLACED)) continue;
      if (entry.isDirectory()) directories.push(path);
      if (!entry.isFile() || !matchesPath(rule, path)) continue;
      if ((statSync(`${root}/${path}`, { throwIfNoEntry: false })?.size ?? 0) > 0) return path;
    }
  }
  return undefined;
}
