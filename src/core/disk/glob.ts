/*
 * glob     = part*
 * part     = '**'              any characters, '/' too ('**' + '/' also matches nothing)
 *          | '*'               any characters but '/'
 *          | '?'               one character but '/'
 *          | '[' '!'? (char | char '-' char)+ ']'      one character of the set, never '/'
 *          | '{' glob (',' glob)* '}'                  one of these
 *          | '\' char          that character
 *          | char
 * Matched against the whole path from the mount's root, without a leading '/'. Case matters.
 */

type Token =
  | { kind: 'char'; char: string }
  | { kind: 'one' }
  | { kind: 'set'; negated: boolean; ranges: [string, string][] }
  | { kind: 'many' }
  | { kind: 'any' }
  /** '**' with the '/' after it: any whole directories, or none. */
  | { kind: 'directories' };

export interface Glob {
  readonly text: string;
  /** Alternatives the braces expanded to. */
  readonly alternatives: readonly Alternative[];
}

interface Alternative {
  tokens: readonly Token[];
  /** What every matching path ends with: refuses most paths at once. */
  suffix: string;
  prefix: string;
}

const MAX_ALTERNATIVES = 64;

/** A glob, or why it is none. */
export function parseGlob(text: string): Glob | { error: string } {
  if (text.includes('\0')) return { error: 'a path has no zero character' };
  const expanded = expandBraces(text.startsWith('/') ? text.slice(1) : text);
  if (typeof expanded === 'string') return { error: expanded };
  const alternatives: Alternative[] = [];
  for (const one of expanded) {
    const tokens = tokenize(one);
    if (typeof tokens === 'string') return { error: tokens };
    alternatives.push({ tokens, prefix: literalPrefix(tokens), suffix: literalSuffix(tokens) });
  }
  return { text, alternatives };
}

function expandBraces(text: string): string[] | string {
  const done: string[] = [];
  let open: string[] = [text];
  while (open.length > 0) {
    const next: string[] = [];
    for (const one of open) {
      const split = splitFirstBrace(one);
      if (typeof split === 'string') return split;
      if (split.length === 1) done.push(one);
      else next.push(...split);
    }
    if (done.length + next.length > MAX_ALTERNATIVES) {
      return `braces that stand for more than ${MAX_ALTERNATIVES} patterns`;
    }
    open = next;
  }
  return done;
}

/** The text with its first brace replaced by each of its parts; itself alone without a brace. */
function splitFirstBrace(text: string): string[] | string {
  let depth = 0;
  let start = -1;
  let partStart = 0;
  const parts: string[] = [];
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === '\\') index++;
    else if (char === '[' && depth === 0) index = Math.max(index, endOfSet(text, index));
    else if (char === '{') {
      if (depth === 0) [start, partStart] = [index, index + 1];
      depth++;
    } else if (char === ',' && depth === 1) {
      parts.push(text.slice(partStart, index));
      partStart = index + 1;
    } else if (char === '}') {
      if (depth === 0) return "a '}' without its '{'";
      depth--;
      if (depth > 0) continue;
      parts.push(text.slice(partStart, index));
      return parts
        .map((part) => text.slice(0, start) + part + text.slice(index + 1))
        .concat(
          // Two entries tell "was split" from "has no brace", also for a brace with one part.
          parts.length === 1 ? [text.slice(0, start) + parts[0] + text.slice(index + 1)] : [],
        );
    }
  }
  return depth > 0 ? "a '{' without its '}'" : [text];
}

function endOfSet(text: string, start: number): number {
  let at = start + 1;
  if (text[at] === '!') at++;
  if (text[at] === ']') at++;
  while (at < text.length && text[at] !== ']') at += text[at] === '\\' ? 2 : 1;
  return at < text.length ? at : -1;
}

function tokenize(text: string): Token[] | string {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = characterAt(text, at);
    if (char === '\\') {
      if (at + 1 >= text.length) return "a '\\' with nothing after it";
      const literal = characterAt(text, ++at);
      tokens.push({ kind: 'char', char: literal });
      at += literal.length - 1;
    } else if (char === '?') tokens.push({ kind: 'one' });
    else if (char === '*' && text[at + 1] === '*') {
      while (text[at + 1] === '*') at++;
      const startsPart = tokens.length === 0 || text[at - 2] === '/';
      if (text[at + 1] === '/' && startsPart) {
        at++;
        tokens.push({ kind: 'directories' });
      } else tokens.push({ kind: 'any' });
    } else if (char === '*') tokens.push({ kind: 'many' });
    else if (char === '[') {
      const end = endOfSet(text, at);
      if (end === -1) return "a '[' without its ']'";
      const set = parseSet(text.slice(at + 1, end));
      if (typeof set === 'string') return set;
      tokens.push(set);
      at = end;
    } else {
      tokens.push({ kind: 'char', char });
      at += char.length - 1;
    }
  }
  return tokens;
}

/** The whole character there, as paths are gone through: one may be two code units. */
function characterAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}

function parseSet(text: string): Token | string {
  const negated = text.startsWith('!');
  const chars = Array.from(negated ? text.slice(1) : text);
  const ranges: [string, string][] = [];
  for (let at = 0; at < chars.length; at++) {
    if (chars[at] === '\\' && at + 1 < chars.length) at++;
    const from = chars[at] as string;
    const isRange = chars[at + 1] === '-' && at + 2 < chars.length;
    const to = isRange ? (chars[at + 2] as string) : from;
    if (to < from) return `a set whose range '${from}-${to}' runs backwards`;
    ranges.push([from, to]);
    if (isRange) at += 2;
  }
  return ranges.length === 0 ? 'an empty set' : { kind: 'set', negated, ranges };
}

function literalPrefix(tokens: readonly Token[]): string {
  let prefix = '';
  for (const token of tokens) {
    if (token.kind !== 'char') break;
    prefix += token.char;
  }
  return prefix;
}

function literalSuffix(tokens: readonly Token[]): string {
  let suffix = '';
  for (const token of [...tokens].reverse()) {
    if (token.kind !== 'char') break;
    suffix = token.char + suffix;
  }
  return suffix;
}

/** Whether the glob matches the whole path. Time is at most the product of both lengths. */
export function globMatches(glob: Glob, path: string): boolean {
  for (const one of glob.alternatives) {
    if (!path.endsWith(one.suffix) || !path.startsWith(one.prefix)) continue;
    if (matches(one.tokens, path)) return true;
  }
  return false;
}

/** Whether a name right in `directory` (its '/' included; '' is the root) could match. */
export function globReaches(glob: Glob, directory: string): boolean {
  return glob.alternatives.some(({ prefix, tokens }) => {
    const agrees = prefix.startsWith(directory) || directory.startsWith(prefix);
    const states = agrees ? statesAfter(tokens, directory) : undefined;
    return states !== undefined && endsWithin(tokens, states);
  });
}

/** Whether the end can be reached from these states by characters other than '/'. */
function endsWithin(tokens: readonly Token[], states: Uint8Array): boolean {
  let reached = false;
  for (let index = 0; index <= tokens.length; index++) {
    reached ||= states[index] !== 0;
    const token = tokens[index];
    if (token === undefined) return reached;
    if (token.kind === 'char' && token.char === '/') reached = false;
  }
  return reached;
}

/**
 * What the last names of all matching paths end with, one for each alternative: ASCII alone, which is
 * its own UTF-8; '' where any will do.
 */
export function literalEnds(glob: Glob): string[] {
  return glob.alternatives.map(({ suffix }) => /[ -.0-~]*$/.exec(suffix)?.[0] ?? '');
}

function matches(tokens: readonly Token[], path: string): boolean {
  return (statesAfter(tokens, path)?.[tokens.length] ?? 0) !== 0;
}

/**
 * Keeps the set of token positions reachable after each character; no backtracking.
 * @returns undefined where none is left: nothing that begins so can match.
 */
function statesAfter(tokens: readonly Token[], path: string): Uint8Array | undefined {
  let states = new Uint8Array(tokens.length + 1);
  let next = new Uint8Array(tokens.length + 1);
  enter(tokens, states, 0);
  for (const char of path) {
    next.fill(0);
    let alive = false;
    for (let index = 0; index < tokens.length; index++) {
      if (states[index] === 0) continue;
      alive = true;
      step(tokens, states[index] as number, next, index, char);
    }
    if (!alive) return undefined;
    [states, next] = [next, states];
  }
  return states.some((state) => state !== 0) ? states : undefined;
}

/** State 1: at the token. State 2, of 'directories' alone: inside a directory's name. */
function enter(tokens: readonly Token[], states: Uint8Array, index: number): void {
  for (let at = index; at <= tokens.length; at++) {
    states[at] = (states[at] as number) | 1;
    const kind = tokens[at]?.kind;
    if (kind !== 'many' && kind !== 'any' && kind !== 'directories') return;
  }
}

function step(
  tokens: readonly Token[],
  state: number,
  next: Uint8Array,
  index: number,
  char: string,
): void {
  const token = tokens[index] as Token;
  switch (token.kind) {
    case 'char':
      if (char === token.char) enter(tokens, next, index + 1);
      return;
    case 'one':
      if (char !== '/') enter(tokens, next, index + 1);
      return;
    case 'set':
      if (char !== '/' && inSet(token, char)) enter(tokens, next, index + 1);
      return;
    case 'many':
      if (char !== '/') enter(tokens, next, index);
      return;
    case 'any':
      enter(tokens, next, index);
      return;
    case 'directories':
      if (char === '/' && (state & 2) !== 0) enter(tokens, next, index);
      else if (char !== '/') next[index] = (next[index] as number) | 2;
      return;
  }
}

function inSet(token: Extract<Token, { kind: 'set' }>, char: string): boolean {
  return token.ranges.some(([from, to]) => char >= from && char <= to) !== token.negated;
}
