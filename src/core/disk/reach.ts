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

/** A step for each byte of a name, from its last on, as far as rules tell names apart by it. */
interface Ends {
  /** Those whose globs' ends are all read by here, in the order of the rules, which decides. */
  readonly rules: readonly Rule[];
  readonly next: ReadonlyMap<number, Ends>;
}

interface End {
  rule: Rule;
  /** ASCII; '' takes names with any end. */
  text: string;
}

const NO_NEXT: ReadonlyMap<number, Ends> = new Map();

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
      reach = { rules, ends: endsOf(rules.flatMap(endsOfRule), 0) };
      this.#known.set(key, reach);
    }
    return reach;
  }
}

function endsOfRule(rule: Rule): End[] {
  if (rule.paths.length === 0) return [{ rule, text: '' }];
  return rule.paths.flatMap(literalEnds).map((text) => ({ rule, text }));
}

/** @param ends those whose last `depth` characters, or all of them, are read. */
function endsOf(ends: readonly End[], depth: number): Ends {
  const read = ends.filter(({ text }) => text.length <= depth).map(({ rule }) => rule);
  const rules = [...new Set(read)];
  if (read.length === ends.length) return { rules, next: NO_NEXT };
  const byteOf = ({ text }: End): number => text.charCodeAt(text.length - 1 - depth);
  const next = new Map<number, Ends>();
  for (const end of ends) {
    if (end.text.length <= depth || next.has(byteOf(end))) continue;
    const byte = byteOf(end);
    const further = ends.filter((one) => one.text.length <= depth || byteOf(one) === byte);
    next.set(byte, endsOf(further, depth + 1));
  }
  return { rules, next };
}

/** The rules to be asked about the name in `length` bytes from `from` on. */
export function reachingName(
  reach: Reach,
  bytes: Uint8Array,
  from: number,
  length: number,
): readonly Rule[] {
  let { ends } = reach;
  for (let at = from + length - 1; at >= from; at--) {
    const next = ends.next.get(bytes[at] as number);
    if (next === undefined) break;
    ends = next;
  }
  return ends.rules;
}
