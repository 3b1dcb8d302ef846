import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '..', '..');

/** A file of the repository, or one planted by a test. */
export interface SourceFile {
  /** From the root, with forward slashes. */
  path: string;
  text: string;
}

/** Where a house rule is broken: 'path:line: what, and what to do instead'. */
export type Violation = string;

const SKIPPED = new Set(['node_modules', '.cache', '.git', 'dist', 'target']);

/** Every file of the checkout with one of these endings, sorted. */
export function filesOf(endings: readonly string[], folder = ''): SourceFile[] {
  const found: SourceFile[] = [];
  for (const entry of readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    const name = path.posix.join(folder, entry.name);
    if (SKIPPED.has(entry.name) || entry.name.startsWith('faultline-run')) continue;
    if (entry.isDirectory()) found.push(...filesOf(endings, name));
    else if (endings.some((ending) => name.endsWith(ending))) {
      found.push({ path: name, text: readFileSync(path.join(ROOT, name), 'utf8') });
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Ends of what the scanner may be inside of. */
const QUOTES = new Set(["'", '"', '`']);
/** After one of these a slash begins a regular expression, not a division. */
const BEFORE_REGEX = /(^|[(,=:[!&|?{};+\-*<>~^%\n]|\breturn|\btypeof|\bcase)\s*$/;

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ');
}

/** Index after a regular expression literal that begins at `start`. */
function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '\n') return start + 1;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '/' && !inClass) return at + 1;
  }
  return text.length;
}

function endOfQuote(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (quote === '`' && text.startsWith('${', at)) at = endOfHole(text, at + 2) - 1;
    else if (text[at] === quote) return at + 1;
  }
  return text.length;
}

/** Index after the brace that closes a hole of a template. */
function endOfHole(text: string, start: number): number {
  let depth = 1;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? '';
    if (QUOTES.has(character)) at = endOfQuote(text, at) - 1;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return at + 1;
  }
  return text.length;
}

/**
 * The text with comments blanked (same length, same lines), and the contents of strings too unless
 * `keepStrings`: what remains is code, so that a banned word in a sentence is no offence.
 */
export function codeOf(text: string, keepStrings = false): string {
  let code = '';
  for (let at = 0; at < text.length;) {
    const character = text[at] ?? '';
    let end = at + 1;
    let keep = true;
    if (text.startsWith('//', at)) {
      end = text.indexOf('\n', at);
      if (end < 0) end = text.length;
      keep = false;
    } else if (text.startsWith('/*', at)) {
      end = text.indexOf('*/', at + 2);
      end = end < 0 ? text.length : end + 2;
      keep = false;
    } else if (QUOTES.has(character)) {
      end = endOfQuote(text, at);
      // What stands in the holes of a template is code.
      keep = keepStrings || (character === '`' && text.slice(at, end).includes('${'));
    } else if (character === '/' && BEFORE_REGEX.test(code.slice(-40))) {
      end = endOfRegex(text, at);
      keep = keepStrings;
    }
    const piece = text.slice(at, end);
    code += keep ? piece : blank(piece);
    at = end;
  }
  return code;
}

/** Where each match of a global pattern stands: one violation each. */
export function violationsOf(
  file: SourceFile,
  text: string,
  pattern: RegExp,
  says: (match: RegExpMatchArray) => string,
): Violation[] {
  return [...text.matchAll(pattern)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    return `${file.path}:${line}: ${says(match)}`;
  });
}
