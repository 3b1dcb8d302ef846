import { invalid, valid, type Checked } from '../base/problem.ts';
import { quoted } from '../base/schema.ts';

/** Java's long. */
const MOST = 2n ** 63n - 1n;

/**
 * Reads a worker id out of parsed JSON (parseExactJson) or of a query.
 * @returns decimal text: a number would lose the last of its 63 bits.
 */
export function readWorkerId(value: unknown, path: string): Checked<string> {
  const text =
    typeof value === 'bigint' || typeof value === 'number'
      ? String(value)
      : typeof value === 'string'
        ? value
        : '';
  const isWhole = /^-?[0-9]{1,20}$/.test(text);
  const id = isWhole ? BigInt(text) : undefined;
  if (id !== undefined && id <= MOST && id >= -MOST - 1n) return valid(id.toString());
  const found = typeof value === 'bigint' ? text : quoted(value);
  const expected = 'a whole number of 64 bits';
  return invalid({ path, message: 'not a worker id', found, expected });
}
