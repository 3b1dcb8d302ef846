import { Type } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { parseRatio, Ratio, type Fraction } from '../base/ratio.ts';
import type { Likelihood } from '../model/packet-shape.ts';

const NEVER: Fraction = { numerator: 0, denominator: 1 };

/** Of a parameter that a schema has accepted; outside 0 to 1 (checkRatios says so) it is never. */
export function fractionOf(ratio: Ratio | undefined): Fraction {
  return (ratio === undefined ? undefined : parseRatio(ratio)) ?? NEVER;
}

export const CORRELATION = Type.Optional(
  Type.Union(Ratio.anyOf, {
    title: 'ratio',
    description: 'how often a packet fares as the one before it; does not change the share',
  }),
);

export function likelihoodOf(params: {
  ratio?: Ratio | undefined;
  correlation?: Ratio | undefined;
}): Likelihood {
  return { ratio: fractionOf(params.ratio), correlation: fractionOf(params.correlation) };
}

/** Ratios over 1, and one of nothing. */
export function checkRatios(
  params: Readonly<Record<string, unknown>>,
  fields: readonly string[],
  mustBe: readonly string[] = [],
): Problem[] {
  return fields.flatMap((field): Problem[] => {
    const found = params[field] as Ratio | undefined;
    if (found === undefined) return [];
    const fraction = parseRatio(found);
    const path = `/${field}`;
    if (!fraction) return [{ path, message: 'a ratio lies between 0 and 1', found: String(found) }];
    if (fraction.numerator === 0 && mustBe.includes(field))
      return [{ path, message: 'a ratio of 0 does nothing', found: String(found) }];
    return [];
  });
}
