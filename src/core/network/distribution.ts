import type { Distribution } from '../model/packet-shape.ts';

/** Deviations with mean 0; uniform within -1 to 1, the others with standard deviation 1. */
const SIZE = 4096;

/** Inverse of the normal distribution's function (Acklam's approximation, relative error 1e-9). */
function normalAt(p: number): number {
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687];
  const b = [138.357751867269, -30.66479806614716, 2.506628277459239];
  const c = [-54.47609879822406, 161.5858368580409, -155.6989798598866];
  const d = [66.80131188771972, -13.28068155288572];
  const horner = (coefficients: readonly number[], x: number): number =>
    coefficients.reduce((sum, each) => sum * x + each, 0);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    const top = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838];
    const rest = [-2.549732539343734, 4.374664141464968, 2.938163982698783];
    const under = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
    return horner([...top, ...rest], q) / horner([...under, 1], q);
  }
  if (p > 1 - 0.02425) return -normalAt(1 - p);
  const q = p - 0.5;
  const r = q * q;
  return (horner([...a, ...b], r) * q) / horner([...c, ...d, 1], r);
}

/** Pareto with exponent 3, moved and scaled to mean 0 and standard deviation 1. */
function paretoAt(p: number): number {
  return (1 / Math.cbrt(1 - p) - 1.5) / Math.sqrt(0.75);
}

/** Quantiles at the middles of 4096 equal parts, in millionths: a draw is a look into it. */
export function quantiles(distribution: Distribution): Int32Array {
  const table = new Int32Array(SIZE);
  for (let index = 0; index < SIZE; index++) {
    const p = (index + 0.5) / SIZE;
    const deviation =
      distribution === 'normal' ? normalAt(p) : distribution === 'pareto' ? paretoAt(p) : 2 * p - 1;
    table[index] = Math.round(deviation * 1e6);
  }
  return table;
}

/** A draw of 32 bits to a place in the table. */
export const quantileIndex = (drawn: number): number => drawn >>> 20;
