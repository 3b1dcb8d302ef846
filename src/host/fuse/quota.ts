import { OPCODES, OUT_HEADER_BYTES, SETATTR } from '../../core/codec/fuse/constants.ts';
import {
  FallocateIn,
  OpenIn,
  Rename2In,
  RenameIn,
  SetattrIn,
  StatfsOut,
  WriteIn,
} from '../../core/codec/fuse/messages.ts';
import type { Accounted } from '../../core/disk/decide.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import type { Engine } from './engine.ts';
import { AT } from './libc.ts';
import type { Memory } from './memory.ts';

/** A disk that is full: what has grown since the fault began counts against what was left free. */

const PER_RULE = 3;
const USED_BYTES = 1;
const USED_INODES = 2;
const O = OPCODES;
const FALLOC_KEEP_SIZE = 1;
const RENAME_EXCHANGE = 2;
const O_TRUNC = 0o1000;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const HITS_PER_RULE = 2;

function used(memory: Memory, place: number, what: number): number {
  return Number(Atomics.load(memory.wide, place * PER_RULE + what));
}

function count(memory: Memory, place: number, what: number, by: number): void {
  Atomics.add(memory.wide, place * PER_RULE + what, BigInt(by));
}

/** What became of a request that counts against what is free. */
export interface Admitted {
  result: number;
  /** There was no room for it, or for a part of it; or it was told how little there is. */
  isHit: boolean;
}

/** Lets a request through as far as there is room; one that has all it needs was no hit. */
export function admit(engine: Engine, full: Accounted<'full'>, run: () => number): Admitted {
  const free = (full.effect.freeBytes ?? 0) - used(engine.memory, full.index, USED_BYTES);
  const [result, isHit] = keep(engine, full, free, run);
  if (!isHit) Atomics.sub(engine.memory.counters, full.index * HITS_PER_RULE + 1, 1);
  return { result, isHit };
}

type Kept = [result: number, isHit: boolean];

function refused(full: Accounted<'full'>): Kept {
  return [-ERRNO[full.effect.errno ?? 'ENOSPC'], true];
}

function keep(engine: Engine, full: Accounted<'full'>, free: number, run: () => number): Kept {
  switch (engine.opcode) {
    case O.write:
      return write(engine, full, free, run);
    case O.fallocate:
      return fallocate(engine, full, free, run);
    case O.setattr:
      return [truncate(engine, full, run), false];
    case O.open:
      return [openEmptied(engine, full, run), false];
    case O.create:
    case O.mkdir:
    case O.mknod:
    case O.symlink:
    case O.tmpfile:
      return create(engine, full, run);
    case O.unlink:
    case O.rmdir:
      return [remove(engine, full, engine.node, engine.entryName(0), run), false];
    case O.rename:
    case O.rename2:
      return [rename(engine, full, run), false];
    case O.statfs:
      return [statfs(engine, full, free, run), true];
    default:
      return [run(), false];
  }
}

/** As a real disk does: what fits is written, and the next write fails. */
function write(engine: Engine, full: Accounted<'full'>, free: number, run: () => number): Kept {
  const fd = engine.descriptor(WriteIn.at.fh);
  if (fd === -1 || engine.statDescriptor(fd) !== 0) return [run(), false];
  const before = engine.size;
  const offset = engine.u64(WriteIn.at.offset);
  const size = engine.u32(WriteIn.at.size);
  const growth = Math.max(0, offset + size - Math.max(before, offset));
  if (growth > free) {
    const fits = size - growth + Math.max(0, free);
    if (fits <= 0) return refused(full);
    engine.inputView.setUint32(engine.body + WriteIn.at.size, fits, true);
  }
  const result = run();
  if (result < 0 || engine.statDescriptor(fd) !== 0) return [result, growth > free];
  const written = engine.outputView.getUint32(OUT_HEADER_BYTES, true);
  count(engine.memory, full.index, USED_BYTES, Math.max(0, growth - (size - written)));
  return [result, growth > free];
}

function fallocate(engine: Engine, full: Accounted<'full'>, free: number, run: () => number): Kept {
  const fd = engine.descriptor(FallocateIn.at.fh);
  const mode = engine.u32(FallocateIn.at.mode) & ~FALLOC_KEEP_SIZE;
  if (fd === -1 || mode !== 0 || engine.statDescriptor(fd) !== 0) return [run(), false];
  const end = engine.u64(FallocateIn.at.offset) + engine.u64(FallocateIn.at.length);
  const growth = Math.max(0, end - engine.size);
  if (growth > free) return refused(full);
  const result = run();
  if (result === 0) count(engine.memory, full.index, USED_BYTES, growth);
  return [result, false];
}

/** A longer file is a hole and takes nothing; a shorter one gives room back. */
function truncate(engine: Engine, full: Accounted<'full'>, run: () => number): number {
  if ((engine.u32(SetattrIn.at.valid) & SETATTR.size) === 0) return run();
  const found = engine.locate(engine.node);
  if (found !== 0 || engine.stat(engine.dirfd, engine.path, engine.atFlags) !== 0) return run();
  const before = engine.size;
  const result = run();
  const given = Math.max(0, before - engine.u64(SetattrIn.at.size));
  if (result >= 0) count(engine.memory, full.index, USED_BYTES, -given);
  return result;
}

/** Opened to be written anew: what was in it is room again. */
function openEmptied(engine: Engine, full: Accounted<'full'>, run: () => number): number {
  if ((engine.u32(OpenIn.at.flags) & O_TRUNC) === 0) return run();
  const found = engine.locate(engine.node);
  if (found !== 0 || engine.stat(engine.dirfd, engine.path, engine.atFlags) !== 0) return run();
  const before = engine.size;
  const result = run();
  if (result >= 0) count(engine.memory, full.index, USED_BYTES, -before);
  return result;
}

function create(engine: Engine, full: Accounted<'full'>, run: () => number): Kept {
  const { freeInodes } = full.effect;
  const taken = used(engine.memory, full.index, USED_INODES);
  if (freeInodes !== undefined && taken >= freeInodes) return refused(full);
  const result = run();
  if (result >= 0) count(engine.memory, full.index, USED_INODES, 1);
  return [result, false];
}

/** What a name leads to goes when the last of its names does. */
function remove(
  engine: Engine,
  full: Accounted<'full'>,
  directory: number,
  name: ReturnType<Engine['entryName']>,
  run: () => number,
): number {
  const parent = engine.directory(directory);
  let given = 0;
  let inodes = 0;
  if (name !== undefined && parent !== -1) {
    const looked = engine.stat(parent, engine.addressOfName(name), AT.symlinkNofollow);
    const isDirectory = looked === 0 && (engine.mode & S_IFMT) === S_IFDIR;
    if (looked === 0 && (engine.links === 1 || isDirectory)) {
      given = isDirectory ? 0 : engine.size;
      inodes = 1;
    }
  }
  const result = run();
  if (result === 0) {
    count(engine.memory, full.index, USED_BYTES, -given);
    count(engine.memory, full.index, USED_INODES, -inodes);
  }
  return result;
}

/** What it replaces is removed. */
function rename(engine: Engine, full: Accounted<'full'>, run: () => number): number {
  const isRename2 = engine.opcode === O.rename2;
  if (isRename2 && (engine.u32(Rename2In.at.flags) & RENAME_EXCHANGE) !== 0) return run();
  const name = engine.entryName(isRename2 ? Rename2In.size : RenameIn.size, 1);
  return remove(engine, full, engine.u64(RenameIn.at.newdir), name, run);
}

/** df agrees: the same size, nothing free but what is left. */
function statfs(engine: Engine, full: Accounted<'full'>, free: number, run: () => number): number {
  const result = run();
  if (result < 0) return result;
  const view = engine.outputView;
  const at = OUT_HEADER_BYTES;
  const unit = view.getUint32(at + StatfsOut.at.frsize, true) || 4096;
  const blocks = BigInt(Math.max(0, Math.floor(free / unit)));
  for (const field of ['bfree', 'bavail'] as const) {
    const real = view.getBigUint64(at + StatfsOut.at[field], true);
    view.setBigUint64(at + StatfsOut.at[field], blocks < real ? blocks : real, true);
  }
  const { freeInodes } = full.effect;
  if (freeInodes !== undefined) {
    const left = Math.max(0, freeInodes - used(engine.memory, full.index, USED_INODES));
    view.setBigUint64(at + StatfsOut.at.ffree, BigInt(left), true);
  }
  return result;
}
