import { Type, type Static } from 'typebox';

/**
 * Schema of a ratio on the wire: a fraction '1/8', a percentage '12.5%' or a number from 0 to 1.
 * Probabilities are exact fractions inside, so that a seed means the same on every machine.
 */
export const Ratio = Type.Union(
  [
    Type.Number({ minimum: 0, maximum: 1 }),
    Type.String({ pattern: '^([0-9]{1,9}/[1-9][0-9]{0,8}|[0-9]{1,3}(\\.[0-9]{1,6})?%)$' }),
  ],
  { title: 'ratio', description: "'1/8', '12.5%' or 0.125" },
);
export type Ratio = Static<typeof Ratio>;

export interface Fraction {
  numerator: number;
  denominator: number;
}

const SCALE = 1_000_000_000;

/** Reads a ratio as an exact fraction, or undefined where it is none or lies outside 0 to 1. */
export function parseRatio(ratio: Ratio): Fraction | undefined {
  if (typeof ratio === 'number') {
    if (!(ratio >= 0 && ratio <= 1)) return undefined;
    return { numerator: Math.round(ratio * SCALE), denominator: SCALE };
  }
  const fraction = /^([0-9]{1,9})\/([1-9][0-9]{0,8})$/.exec(ratio);
  if (fraction) {
    const numerator = Number(fraction[1]);
    const denominator = Number(fraction[2]);
    return numerator <= denominator ? { numerator, denominator } : undefined;
  }
  const percent = /^([0-9]{1,3}(?:\.[0-9]{1,6})?)%$/.exec(ratio);
  if (!percent) return undefined;
  const numerator = Math.round(Number(percent[1]) * 10_000_000);
  return numerator <= SCALE ? { numerator, denominator: SCALE } : undefined;
}
