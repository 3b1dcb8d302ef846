import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';

/** Durable bytes of a file, as they were before something unsynced replaced them. */
export interface Image {
  offset: number;
  bytes: Uint8Array;
}

/** What of a file was never fsynced. Images in the order they were taken: the oldest is durable. */
export interface UnsyncedFile {
  /** How long the file was at its last fsync. */
  durableSize: number;
  /** How long it is now. */
  size: number;
  images: readonly Image[];
}

/** How much of the unsynced data a power cut loses. */
export const LOSSES = ['all', 'subset', 'torn', 'reordered'] as const;
export type Loss = (typeof LOSSES)[number];

/** What is done to a file: first the size, then these bytes. */
export interface FileEdit {
  truncateTo: number;
  /** Then made this long again: what is between reads as zeros. */
  extendTo: number;
  writes: Image[];
}

const PAGE = 4096;
const SECTOR = 512;

/**
 * What a power cut leaves of one file.
 *  all        nothing unsynced survives
 *  subset     each unsynced page survives or not; the size is that of the last surviving page
 *  torn       a prefix of the appended data survives, cut inside a page at a sector of the disk
 *  reordered  the size survives, but each unsynced page of data only by chance (reads as zeros)
 * A file that was made shorter is as long as it was again; what is beyond its new end is all there.
 */
export function planLoss(file: UnsyncedFile, loss: Loss, random: Random): FileEdit {
  const { durableSize, size } = file;
  const grown = Math.max(0, size - durableSize);
  const everything = { truncateTo: Math.min(size, durableSize), extendTo: durableSize };
  if (loss === 'all') return { ...everything, writes: oldest(file, () => true) };
  if (loss === 'torn') {
    const sectors = Math.ceil(grown / SECTOR);
    const drawn = sectors === 0 ? 0 : random.below(sectors) * SECTOR;
    const end = Math.max(durableSize, Math.floor((durableSize + drawn) / SECTOR) * SECTOR);
    return {
      truncateTo: Math.min(size, end),
      extendTo: end,
      writes: oldest(file, () => random.below(2) === 0),
    };
  }
  const lost = new Map<number, boolean>();
  const isLost = (page: number): boolean => {
    const known = lost.get(page);
    if (known !== undefined) return known;
    const drawn = random.below(2) === 0;
    lost.set(page, drawn);
    return drawn;
  };
  const writes = oldest(file, isLost);
  let end = durableSize;
  const first = grown === 0 ? Infinity : Math.floor(durableSize / PAGE);
  for (let page = first; page * PAGE < size; page++) {
    const from = Math.max(durableSize, page * PAGE);
    const to = Math.min(size, (page + 1) * PAGE);
    if (isLost(page)) writes.push({ offset: from, bytes: new Uint8Array(to - from) });
    else end = to;
  }
  const newSize = loss === 'reordered' ? Math.max(size, durableSize) : end;
  return {
    truncateTo: Math.min(size, newSize),
    extendTo: newSize,
    writes: clip(writes, newSize),
  };
}

/** The images that come back, page by page, such that the oldest of overlapping ones is written last. */
function oldest(file: UnsyncedFile, isLost: (page: number) => boolean): Image[] {
  const { images, size } = file;
  const writes: Image[] = [];
  for (const image of [...images].reverse()) {
    const end = image.offset + image.bytes.length;
    for (let at = image.offset; at < end;) {
      const page = Math.floor(at / PAGE);
      const isBeyond = at >= size;
      const stop = Math.min(end, (page + 1) * PAGE, isBeyond ? end : size);
      const bytes = image.bytes.subarray(at - image.offset, stop - image.offset);
      if (isBeyond || isLost(page)) writes.push({ offset: at, bytes });
      at = stop;
    }
  }
  return writes;
}

function clip(writes: readonly Image[], size: number): Image[] {
  return writes
    .filter((write) => write.offset < size)
    .map((write) => ({ ...write, bytes: write.bytes.subarray(0, size - write.offset) }));
}

/** Replaces what was read at `offset` by what was durable when the marking began. */
export function overlay(file: UnsyncedFile, offset: number, bytes: Uint8Array): void {
  const end = offset + bytes.length;
  if (end > file.durableSize) bytes.fill(0, Math.max(0, file.durableSize - offset));
  for (const image of [...file.images].reverse()) {
    const from = Math.max(offset, image.offset);
    const to = Math.min(end, image.offset + image.bytes.length);
    if (from >= to) continue;
    assert(to - offset <= bytes.length, 'an image outside what was read');
    bytes.set(image.bytes.subarray(from - image.offset, to - image.offset), from - offset);
  }
}
