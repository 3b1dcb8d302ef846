/** Student's t for 95 %, two-sided, by degrees of freedom; the last for more. */
const T95 = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12,
  2.11, 2.1, 2.09, 2.09,
];

export interface Ratio {
  /** Geometric mean. */
  ratio: number;
  low: number;
  high: number;
}

/** The ratio of two figures measured in the same rounds, with its 95 % interval (of its logarithm). */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): Ratio {
  const logs = ours
    .map((value, index) => Math.log(value / (theirs[index] ?? Number.NaN)))
    .filter((log) => Number.isFinite(log));
  const count = logs.length;
  const mean = logs.reduce((sum, log) => sum + log, 0) / count;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / Math.max(1, count - 1);
  const t = T95[Math.min(count - 2, T95.length - 1)] ?? Infinity;
  const half = t * Math.sqrt(variance / count);
  return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? 0) + high) / 2;
}
