import { addressOf } from './libc.ts';

/*
 * What all threads of one mount share, in one SharedArrayBuffer (untouched pages cost nothing):
 *
 *   words    control words (WORD), 32-bit
 *   counters per rule: matched, hits, and 64-bit: next free instant of the rate, bytes and inodes used
 *   rules    the specification in force as JSON, its length in WORD.rulesLength
 *   nodes    one row per inode the kernel knows (node-table.ts)
 *   hash     heads of the chains by (device, inode) (inode-index.ts)
 *   links    one row per name of an inode (name-table.ts)
 *   linkHash heads of the chains by (directory, name)
 *   names    the names, zero-terminated, in blocks of a power of two
 *   files    one row per descriptor number (open-files.ts)
 */
export const WORD = {
  epoch: 0,
  active: 1,
  rulesLength: 2,
  minor: 3,
  pathEpoch: 4,
  stopped: 5,
  nodeLock: 6,
  pathLock: 7,
  pathWriters: 8,
  nodeTop: 9,
  nodeFree: 10,
  linkTop: 11,
  linkFree: 12,
  nameTop: 13,
  nameFree: 16,
  heldBytes: 32,
  held: 33,
  liveNodes: 34,
  ready: 35,
  readers: 36,
  metadataFaults: 37,
  tickets: 38,
  served: 39,
  tracking: 40,
  logTail: 41,
  logStart: 42,
  trackEpoch: 43,
  logEntries: 44,
  dropped: 45,
  initDone: 46,
  controlNode: 47,
  logLock: 48,
  logWriters: 49,
  logNames: 50,
  graves: 51,
  gravesKiB: 52,
  rulesLock: 53,
  logLost: 54,
} as const;

export const MAX_RULES = 2048;
export const RULES_BYTES = 1 << 20;
const WORDS = 64;
const COUNTER_WORDS = 2;
const WIDE = 3;
export const NODE_WORDS = 16;
export const LINK_WORDS = 8;
export const FILE_WORDS = 4;
export const NAME_UNIT = 16;

export interface Sizes {
  nodes: number;
  files: number;
}

export interface Shared {
  buffer: SharedArrayBuffer;
  sizes: Sizes;
}

export interface Memory {
  readonly shared: Shared;
  readonly words: Int32Array;
  readonly counters: Int32Array;
  readonly wide: BigInt64Array;
  readonly rules: Uint8Array;
  readonly nodes: Int32Array;
  readonly hash: Int32Array;
  readonly links: Int32Array;
  readonly linkHash: Int32Array;
  readonly names: Buffer;
  readonly namesAddress: number;
  readonly files: Int32Array;
}

interface Section {
  offset: number;
  bytes: number;
}

function sections(sizes: Sizes): Record<string, Section> & { total: Section } {
  const bytes: Record<string, number> = {
    words: WORDS * 4,
    wide: MAX_RULES * WIDE * 8,
    counters: MAX_RULES * COUNTER_WORDS * 4,
    rules: RULES_BYTES,
    nodes: sizes.nodes * NODE_WORDS * 4,
    hash: sizes.nodes * 4,
    links: sizes.nodes * 2 * LINK_WORDS * 4,
    linkHash: sizes.nodes * 4,
    names: sizes.nodes * 64,
    files: sizes.files * FILE_WORDS * 4,
  };
  const result: Record<string, Section> = {};
  let offset = 0;
  for (const [name, size] of Object.entries(bytes)) {
    result[name] = { offset, bytes: size };
    offset += Math.ceil(size / 4096) * 4096;
  }
  return { ...result, total: { offset: 0, bytes: offset } };
}

/** @param sizes nodes: a power of two, the most inodes at once; files: above all descriptors of files. */
export function createShared(sizes: Sizes): Shared {
  return { buffer: new SharedArrayBuffer(sections(sizes).total.bytes), sizes };
}

/** The views of one thread. */
export function openMemory(shared: Shared): Memory {
  const at = sections(shared.sizes);
  const { buffer } = shared;
  const section = (name: string): Section => at[name] ?? at.total;
  const ints = (name: string): Int32Array =>
    new Int32Array(buffer, section(name).offset, section(name).bytes / 4);
  const names = Buffer.from(
    buffer as unknown as ArrayBuffer,
    section('names').offset,
    section('names').bytes,
  );
  return {
    shared,
    words: ints('words'),
    counters: ints('counters'),
    wide: new BigInt64Array(buffer, section('wide').offset, section('wide').bytes / 8),
    rules: new Uint8Array(buffer, section('rules').offset, section('rules').bytes),
    nodes: ints('nodes'),
    hash: ints('hash'),
    links: ints('links'),
    linkHash: ints('linkHash'),
    names,
    namesAddress: addressOf(names),
    files: ints('files'),
  };
}
