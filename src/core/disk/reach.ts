import { globReaches, literalEnds } from './glob.ts';
import type { Rule } from './rule.ts';

/**
 * The rules that could take a name right in one directory, found by how the name ends: of a hundred
 * rules few are left to be asked, as a rule none.
 */
export interface Reach {
  readonly rules: readonly Rule[];
  readonly ends: Ends;
}

/**
 * A tree with a step for each byte of a name, from its last on, as far as rules tell names apart by
 * it. In one small array, since each request of a disk goes through it: of each place in the tree
 * which of `sets` ends there, the number of steps, and of each step the byte and where it leads.
 */
interface Ends {
  readonly places: Int32Array;
  /** Those whose globs' ends are all read by there, in the order of the rules, which decides. */
  readonly sets: readonly (readonly Rule[])[];
}

/** Numbers before a place's steps, and of a step. */
const HEAD = 2;
const STEP = 2;

interface End {
  rule: Rule;
  /** ASCII; '' takes names with any end. */
  text: string;
}

/** What rules reach in each directory. Directories that the same globs reach share it. */
export class Reaches {
  readonly #all: readonly Rule[];
  readonly #known = new Map<string, Reach>();

  constructor(all: readonly Rule[]) {
    this.#all = all;
  }

  /** @param path the directory's, '' for the root. */
  of(path: string): Reach {
    const directory = path === '' ? '' : `${path}/`;
    const rules: Rule[] = [];
    let key = '';
    for (const [place, rule] of this.#all.entries()) {
      const globs = rule.paths.filter((glob) => globReaches(glob, directory));
      if (rule.paths.length > 0 && globs.length === 0) continue;
      // The other globs take nothing here: they need not be tried on each name.
      const isWhole = globs.length === rule.paths.length;
      rules.push(isWhole ? rule : { ...rule, paths: globs });
      const which = globs.map((glob) => rule.paths.indexOf(glob)).join(',');
      key += isWhole ? `${place} ` : `${place}:${which} `;
    }
    let reach = this.#known.get(key);
    if (reach === undefined) {
      reach = { rules, ends: endsOf(rules.flatMap(endsOfRule)) };
      this.#known.set(key, reach);
    }
    return reach;
  }
}

function endsOfRule(rule: Rule): End[] {
  if (rule.paths.length === 0) return [{ rule, text: '' }];
  return rule.paths.flatMap(literalEnds).map((text) => ({ rule, text }));
}

function endsOf(ends: readonly End[]): Ends {
  const places: number[] = [];
  const sets: (readonly Rule[])[] = [];
  grow(ends, 0, { places, sets });
  return { places: Int32Array.from(places), sets };
}

/** @param ends those whose last `depth` characters, or all of them, are read. @returns their place. */
function grow(
  ends: readonly End[],
  depth: number,
  tree: { places: number[]; sets: (readonly Rule[])[] },
): number {
  const { places, sets } = tree;
  const read = ends.filter(({ text }) => text.length <= depth).map(({ rule }) => rule);
  const byteOf = ({ text }: End): number => text.charCodeAt(text.length - 1 - depth);
  const longer = ends.filter(({ text }) => text.length > depth);
  const bytes = [...new Set(longer.map(byteOf))];
  const place = places.length;
  places.push(sets.length, bytes.length, ...bytes.flatMap((byte) => [byte, 0]));
  sets.push([...new Set(read)]);
  for (const [index, byte] of bytes.entries()) {
    const further = ends.filter((one) => one.text.length <= depth || byteOf(one) === byte);
    places[place + HEAD + index * STEP + 1] = grow(further, depth + 1, tree);
  }
  return place;
}

/** The rules to be asked about the name in `length` bytes from `from` on. */
export function reachingName(
  reach: Reach,
  bytes: Uint8Array,
  from: number,
  length: number,
): readonly Rule[] {
  const { places, sets } = reach.ends;
  let place = 0;
  for (let at = from + length - 1; at >= from; at--) {
    const next = step(places, place, bytes[at] as number);
    if (next === 0) break;
    place = next;
  }
  return sets[places[place] as number] ?? [];
}

/** @returns the place a byte leads to, or 0: to the first none does. */
function step(places: Int32Array, place: number, byte: number): number {
  const first = place + HEAD;
  const end = first + (places[place + 1] as number) * STEP;
  for (let at = first; at < end; at += STEP) {
    if (places[at] === byte) return places[at + 1] as number;
  }
  return 0;
}
