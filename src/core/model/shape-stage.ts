import { assert } from '../base/assert.ts';
import type { Fraction } from '../base/ratio.ts';
import type { GilbertElliott, Likelihood, PacketShape } from './packet-shape.ts';

/** What one qdisc does once: two faults of a sort can't share a packet. */
export const STAGE_SORTS = ['rate', 'time', 'loss', 'duplicate', 'corrupt'] as const;
export type StageSort = (typeof STAGE_SORTS)[number];

/** What one fault makes of packets, in the words of tc-netem(8), or the figures of a rate. */
export interface ShapeStage {
  sort: StageSort;
  /** Of a rate: bytes a second, bytes at once, microseconds in wait. */
  words: string[];
}

/** tc reads six digits after the point. */
const percent = ({ numerator, denominator }: Fraction): string =>
  `${Number(((numerator * 100) / denominator).toFixed(6))}%`;

const rest = ({ numerator, denominator }: Fraction): Fraction => ({
  numerator: denominator - numerator,
  denominator,
});

function chance({ ratio, correlation }: Likelihood): string[] {
  return [percent(ratio), ...(correlation.numerator === 0 ? [] : [percent(correlation)])];
}

function lossWords(loss: Likelihood | GilbertElliott): string[] {
  if ('ratio' in loss) return ['loss', 'random', ...chance(loss)];
  const { p, r, h, k } = loss;
  return ['loss', 'gemodel', percent(p), percent(r), percent(rest(h)), percent(rest(k))];
}

/** netem's 'reorder' is of those that overtake: the others are held. */
function timeWords({ delay, reorder }: PacketShape): string[] {
  if (reorder && !('gap' in reorder.chosen)) {
    const { ratio, correlation } = reorder.chosen;
    const overtaking = chance({ ratio: rest(ratio), correlation });
    return ['delay', `${reorder.holdUs}us`, 'reorder', ...overtaking];
  }
  assert(delay !== undefined, 'a stage of time delays');
  const { latencyUs, jitterUs, distribution, correlation } = delay;
  const words = ['delay', `${latencyUs}us`];
  if (jitterUs === 0) return words;
  words.push(`${jitterUs}us`);
  if (correlation.numerator > 0) words.push(percent(correlation));
  return distribution === 'uniform' ? words : [...words, 'distribution', distribution];
}

/** What of a shape no qdisc can do; undefined: it can. */
export function beyondQdiscs({ corrupt, reorder }: PacketShape): string | undefined {
  if (reorder && 'gap' in reorder.chosen)
    return "netem can't hold every n-th packet: it lets every n-th overtake";
  if (corrupt && (corrupt.bytes > 1 || corrupt.checksum === 'remade'))
    return 'netem flips one bit of a packet, and leaves the checksum';
  return undefined;
}

/** Of a shape with one part, which no qdisc is too little for. */
export function stageOf(shape: PacketShape): ShapeStage {
  const { rate, loss, duplicate, corrupt } = shape;
  if (rate) {
    const figures = [rate.bytesPerSecond, rate.burstBytes, rate.latencyUs];
    return { sort: 'rate', words: figures.map((figure) => String(Math.ceil(figure))) };
  }
  if (loss) return { sort: 'loss', words: lossWords(loss) };
  if (duplicate) return { sort: 'duplicate', words: ['duplicate', ...chance(duplicate)] };
  if (corrupt) return { sort: 'corrupt', words: ['corrupt', ...chance(corrupt)] };
  return { sort: 'time', words: timeWords(shape) };
}

/** One word, as a comment of a rule holds it. */
export function writeStage({ sort, words }: ShapeStage): string {
  return [sort, ...words].join('_');
}

/** @returns undefined where it is none of ours. */
export function readStage(text: string): ShapeStage | undefined {
  const [sort, ...words] = text.split('_');
  const known = STAGE_SORTS.find((each) => each === sort);
  const plain = words.length > 0 && words.every((word) => /^[0-9a-z.%]+$/.test(word));
  return known && plain ? { sort: known, words } : undefined;
}
