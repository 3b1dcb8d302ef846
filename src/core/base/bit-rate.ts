import { Type } from 'typebox';

const BITS: Readonly<Record<string, number>> = { kbit: 1e3, mbit: 1e6, gbit: 1e9 };
const PATTERN = '^[0-9]{1,9}(\\.[0-9]{1,3})?(kbit|mbit|gbit)$';
const WHOLE = new RegExp(PATTERN);

/** Schema of a rate on the wire, as tc(8) writes it: decimal units of bits a second. */
export const BitRate = Type.String({
  pattern: PATTERN,
  title: 'rate',
  description: "bits a second: '500kbit', '10mbit', '1gbit'",
});

/** Reads a rate. @returns whole bits a second, or undefined where the text is none. */
export function parseBitRate(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  const unit = text.slice(-4);
  return Math.round(Number(text.slice(0, -4)) * (BITS[unit] ?? Number.NaN));
}
