import { invalid, valid, type Checked } from '../base/problem.ts';

/** Before a whole number that no double holds: it stands as text with this mark until it is read. */
const MARK = '\u0000';
/** What is opened and never closed is a token, too: else each such opening is a walk to the end. */
const TOKENS = /"(?:[^"\\]|\\[\s\S])*"?|\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|-?[0-9][0-9.eE+-]*/g;
const UNCLOSED = /^\/\*(?![\s\S]*\*\/$)/;

/**
 * Reads JSON as Trogdor's peers write it: comments are passed over, and whole numbers beyond 2^53
 * (worker ids have 63 bits) come out as bigint, every digit kept.
 */
export function parseExactJson(text: string): Checked<unknown> {
  const exact = text.replaceAll(TOKENS, (token) => {
    if (token.startsWith('/')) return UNCLOSED.test(token) ? token : ' ';
    const isBeyond = /^-?[0-9]{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
    return isBeyond ? `"\\u0000${token}"` : token;
  });
  try {
    return valid(JSON.parse(exact, revive));
  } catch (error) {
    return invalid({ path: '', message: `not JSON: ${(error as SyntaxError).message}` });
  }
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
  const digits = value.slice(MARK.length);
  return /^-?[0-9]{16,}$/.test(digits) ? BigInt(digits) : value;
}
