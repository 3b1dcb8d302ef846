import { globReaches, lastCharacters } from './glob.ts';
import type { Rule } from './rule.ts';

const NONE: readonly Rule[] = [];

/**
 * The rules that could take a name right in one directory, by the byte it ends with: of a hundred
 * rules few are left to be asked, as a rule none.
 */
export interface Reach {
  readonly isEmpty: boolean;
  readonly rules: readonly Rule[];
  readonly byLast: ReadonlyMap<number, readonly Rule[]>;
  /** Those that take names with any end. */
  readonly rest: readonly Rule[];
}

/** @param path the directory's, '' for the root. */
export function reachOf(all: readonly Rule[], path: string): Reach {
  const directory = path === '' ? '' : `${path}/`;
  const rules: Rule[] = [];
  const rest: Rule[] = [];
  const ends = new Map<number, Set<Rule>>();
  for (const rule of all) {
    const globs = rule.paths.filter((glob) => globReaches(glob, directory));
    if (rule.paths.length > 0 && globs.length === 0) continue;
    // The other globs take nothing here: they need not be tried on each name.
    const here = globs.length === rule.paths.length ? rule : { ...rule, paths: globs };
    rules.push(here);
    const last = globs.flatMap(lastCharacters);
    // Beyond ASCII the last byte is not the last character's.
    if (last.length === 0 || last.some((one) => one === '' || one > '~')) rest.push(here);
    else {
      for (const one of last) {
        const known = ends.get(one.charCodeAt(0)) ?? new Set();
        ends.set(one.charCodeAt(0), known.add(here));
      }
    }
  }
  const restSet = new Set(rest);
  const byLast = new Map<number, readonly Rule[]>();
  // In the order of the rules, which decides where several hit.
  for (const [byte, some] of ends) {
    byLast.set(
      byte,
      rules.filter((rule) => some.has(rule) || restSet.has(rule)),
    );
  }
  return { isEmpty: rules.length === 0, rules, byLast, rest: rest.length === 0 ? NONE : rest };
}

/** The rules to be asked about a name that ends with a byte. */
export function reachingNames(reach: Reach, lastByte: number): readonly Rule[] {
  return reach.byLast.get(lastByte) ?? reach.rest;
}
