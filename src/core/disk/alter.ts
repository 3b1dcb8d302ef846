import { Random } from '../base/random.ts';
import { parseRatio } from '../base/ratio.ts';
import type { Alteration } from './decide.ts';
import type { Effect } from './specification.ts';

type Of<K extends Effect['kind']> = Extract<Effect, { kind: K }>;

/** Spoils bytes in place. */
export function corrupt(effect: Of<'corrupt'>, bytes: Uint8Array, random: Random): void {
  if (bytes.length === 0) return;
  const amount = effect.amount ?? 1;
  switch (effect.how) {
    case 'bitFlip':
      for (let count = 0; count < amount; count++) {
        const at = random.below(bytes.length);
        bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      }
      return;
    case 'truncateTail':
      bytes.fill(0, Math.max(0, bytes.length - amount));
      return;
    case 'zeroTail':
      bytes.fill(0, random.below(bytes.length));
      return;
    case 'randomTail':
      for (let at = random.below(bytes.length); at < bytes.length; at++)
        bytes[at] = random.below(256);
      return;
    case 'zero':
    case 'random':
      if (effect.fraction === undefined) spoilRun(effect.how, bytes, amount, random);
      else spoilShare(effect.how, bytes, effect.fraction, random);
      return;
  }
}

/** One run of `amount` bytes at a drawn place. */
function spoilRun(how: 'zero' | 'random', bytes: Uint8Array, amount: number, random: Random): void {
  const length = Math.min(amount, bytes.length);
  const from = random.below(bytes.length - length + 1);
  for (let at = from; at < from + length; at++) bytes[at] = how === 'zero' ? 0 : random.below(256);
}

function spoilShare(
  how: 'zero' | 'random',
  bytes: Uint8Array,
  fraction: number | string,
  random: Random,
): void {
  const share = parseRatio(fraction);
  if (share === undefined) return;
  for (let at = 0; at < bytes.length; at++) {
    if (random.chance(share)) bytes[at] = how === 'zero' ? 0 : random.below(256);
  }
}

/** How many of `size` bytes a short read or write does: at least one, at most all. */
export function shortened(effect: Of<'short'>, size: number, seed: bigint): number {
  if (size === 0) return 0;
  if (effect.random === true) return drawnPart(size, seed);
  if (effect.bytes !== undefined) return Math.min(size, effect.bytes);
  const share = parseRatio(effect.share ?? 1);
  if (share === undefined) return size;
  return Math.max(1, Math.floor((size * share.numerator) / share.denominator));
}

function drawnPart(size: number, seed: bigint): number {
  return 1 + new Random(seed).below(size);
}

/** A part of a write that reaches the disk: `from` to `to` of its bytes, landing at `offset`. */
export interface Piece {
  from: number;
  to: number;
  offset: number;
}

/** What a write of `size` bytes at `offset` does in the end. */
export interface WritePlan {
  pieces: Piece[];
  /** The file is as long as if all had been written (a lost block reads as zeros). */
  extends: boolean;
  /** How many bytes the caller is told. */
  told: number;
}

/** Where the bytes of a write land; corruption of the bytes themselves is `corrupt`'s. */
export function planWrite(
  alterations: readonly Alteration[],
  size: number,
  offset: number,
): WritePlan {
  const plan: WritePlan = { pieces: [{ from: 0, to: size, offset }], extends: false, told: size };
  for (const { effect, seed } of alterations) {
    if (effect.kind === 'short') {
      plan.told = shortened(effect, plan.told, seed);
      plan.pieces = cut(plan.pieces, plan.told);
    } else if (effect.kind === 'lost') {
      plan.extends = true;
      plan.pieces = [];
    } else if (effect.kind === 'torn') {
      plan.extends = true;
      plan.pieces = tear(plan.pieces, effect, new Random(seed));
    } else if (effect.kind === 'misdirected') {
      plan.extends = true;
      plan.pieces = shift(plan.pieces, effect.shiftBytes);
    }
  }
  return plan;
}

function cut(pieces: readonly Piece[], size: number): Piece[] {
  return pieces
    .map((piece) => ({ ...piece, to: Math.min(piece.to, size) }))
    .filter((piece) => piece.from < piece.to);
}

function shift(pieces: readonly Piece[], by: number): Piece[] {
  return pieces
    .map((piece) => {
      const offset = piece.offset + by;
      const before = Math.max(0, -offset);
      return { from: piece.from + before, to: piece.to, offset: offset + before };
    })
    .filter((piece) => piece.from < piece.to);
}

/** Cuts along sectors of the file (not of the write): a disk writes whole sectors. */
function tear(pieces: readonly Piece[], effect: Of<'torn'>, random: Random): Piece[] {
  const sector = effect.sectorBytes ?? 512;
  const sectors: Piece[] = [];
  for (const piece of pieces) {
    const end = piece.offset + piece.to - piece.from;
    for (let at = piece.offset; at < end;) {
      const stop = Math.min(end, (Math.floor(at / sector) + 1) * sector);
      const from = piece.from + at - piece.offset;
      sectors.push({ from, to: from + stop - at, offset: at });
      at = stop;
    }
  }
  const keep = effect.keep ?? 'prefix';
  if (keep === 'random') return sectors.filter(() => random.below(2) === 0);
  // At least one sector is lost; a write of one sector is lost whole (sectors are atomic).
  const kept = sectors.length === 0 ? 0 : random.below(sectors.length);
  return keep === 'prefix' ? sectors.slice(0, kept) : sectors.slice(sectors.length - kept);
}
