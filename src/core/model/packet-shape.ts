import type { Fraction } from '../base/ratio.ts';

export const DISTRIBUTIONS = ['uniform', 'normal', 'pareto'] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];

/** How likely, and how likely it is that a packet fares as the one before it. */
export interface Likelihood {
  ratio: Fraction;
  correlation: Fraction;
}

/**
 * Loss in bursts (Gilbert 1960, Elliott 1963), with the letters of tc-netem(8): a channel that is
 * good or bad; `p` from good to bad, `r` back; a packet arrives with `k` while it is good, with `h`
 * while it is bad.
 */
export interface GilbertElliott {
  p: Fraction;
  r: Fraction;
  h: Fraction;
  k: Fraction;
}

/** What happens to packets that are steered to us, in this order: lost, doubled, damaged, late. */
export interface PacketShape {
  loss?: Likelihood | GilbertElliott;
  duplicate?: Likelihood;
  /** `bytes` of the payload are changed; with `remade` the checksum fits again. */
  corrupt?: Likelihood & { bytes: number; checksum: 'kept' | 'remade' };
  /** Chosen packets are held so that later ones overtake them: by chance, or every `gap`-th. */
  reorder?: { chosen: Likelihood | { gap: number }; holdUs: number };
  /**
   * `jitterUs` is half the width of a uniform distribution, the standard deviation of the others.
   * Never less than nothing.
   */
  delay?: {
    latencyUs: number;
    jitterUs: number;
    distribution: Distribution;
    correlation: Fraction;
  };
  /** Per peer; what would have to wait longer than `latencyUs` is dropped (tc-tbf(8)). */
  rate?: { bytesPerSecond: number; burstBytes: number; latencyUs: number };
}

const ratioText = ({ numerator, denominator }: Fraction): string =>
  `${Math.round((numerator / denominator) * 1e6) / 1e4} %`;

function likelihoodText({ ratio, correlation }: Likelihood): string {
  const follows = correlation.numerator === 0 ? '' : `, correlated ${ratioText(correlation)}`;
  return `${ratioText(ratio)} of packets${follows}`;
}

const ms = (us: number): string => `${us / 1000} ms`;

function lossText(loss: Likelihood | GilbertElliott): string {
  if ('ratio' in loss) return `drop ${likelihoodText(loss)}`;
  const [p, r, h, k] = [loss.p, loss.r, loss.h, loss.k].map(ratioText);
  return `drop in bursts (p ${p}, r ${r}, h ${h}, k ${k})`;
}

/** In words, for `explain`. */
export function describeShape(shape: PacketShape): string {
  const { loss, duplicate, corrupt, reorder, delay, rate } = shape;
  const parts: string[] = [];
  if (loss) parts.push(lossText(loss));
  if (duplicate) parts.push(`duplicate ${likelihoodText(duplicate)}`);
  if (corrupt) {
    const sum = corrupt.checksum === 'remade' ? 'make the checksum fit' : 'leave the checksum';
    parts.push(`change ${corrupt.bytes} byte(s) in ${likelihoodText(corrupt)}, ${sum}`);
  }
  if (reorder) {
    const { chosen } = reorder;
    const which = 'gap' in chosen ? `every ${chosen.gap}th packet` : likelihoodText(chosen);
    parts.push(`hold ${which} for ${ms(reorder.holdUs)}`);
  }
  if (delay) {
    const jitter =
      delay.jitterUs === 0 ? '' : `, jitter ${ms(delay.jitterUs)} ${delay.distribution}`;
    parts.push(`delay by ${ms(delay.latencyUs)}${jitter}`);
  }
  if (rate) {
    const most = `${rate.burstBytes} bytes at once, ${ms(rate.latencyUs)} in wait`;
    parts.push(`let ${rate.bytesPerSecond} bytes/s pass of each peer (${most})`);
  }
  return parts.join('; ');
}
