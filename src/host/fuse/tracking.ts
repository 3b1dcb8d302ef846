import {
  FallocateIn,
  FsyncIn,
  OpenIn,
  SetattrIn,
  WriteIn,
} from '../../core/codec/fuse/messages.ts';
import { OPCODES, SETATTR } from '../../core/codec/fuse/constants.ts';
import { MAX_WRITE } from '../../core/codec/fuse/init.ts';
import { RECORD, RecordHead } from '../../core/disk/undo-log.ts';
import type { Engine } from './engine.ts';
import { libc } from './libc.ts';
import { lockShared, unlockShared } from './lock.ts';
import { WORD } from './memory.ts';
import { changesNames, trackNames } from './name-tracking.ts';
import { NODE } from './node-row.ts';
import { append, isRecordable, logOf, lose, tracked } from './undo-log.ts';

/**
 * Records what was not fsynced, before it changes. An append costs one mark and no more: its durable
 * bytes are untouched.
 */

const O = OPCODES;
const O_TRUNC = 0o1000;
const O_NONBLOCK = 0o4000;
/** O_DSYNC; O_SYNC has this bit, too. */
const O_DSYNC = 0o10000;

function durableSize(engine: Engine): number {
  const { table, node } = engine;
  const low = table.get(node, NODE.durableLow) >>> 0;
  return low + (table.get(node, NODE.durableHigh) >>> 0) * 2 ** 32;
}

function isMarked(engine: Engine): boolean {
  const epoch = Atomics.load(engine.memory.words, WORD.trackEpoch);
  return engine.table.get(engine.node, NODE.durableEpoch) === epoch;
}

/** Before bytes of the node change: its durable ones among them go to the log. */
export function beforeChange(engine: Engine, fd: number, offset: number, size: number): void {
  const { table, node, memory } = engine;
  if (!isMarked(engine)) {
    if (engine.statDescriptor(fd) !== 0) return;
    const durable = engine.size;
    append(engine, RECORD.mark, durable, 0, 0);
    table.set(node, NODE.durableLow, (durable % 2 ** 32) | 0);
    table.set(node, NODE.durableHigh, Math.floor(durable / 2 ** 32));
    table.set(node, NODE.durableEpoch, Atomics.load(memory.words, WORD.trackEpoch));
    table.track(node);
  }
  const end = Math.min(offset + size, durableSize(engine));
  if (!isRecordable(end - offset)) {
    lose(engine);
    return;
  }
  const log = logOf(engine);
  for (let at = offset; at < end;) {
    const part = Math.min(end - at, MAX_WRITE);
    const got = libc.pread(fd, log.address + RecordHead.size, part, at);
    if (got <= 0) return;
    if (!append(engine, RECORD.image, at, got, got)) return;
    at += got;
  }
}

/** The node is about to be synced: what was recorded of it, and of its names, is durable. */
function synced(engine: Engine): void {
  const marked = isMarked(engine);
  if (!marked && Atomics.load(engine.memory.words, WORD.logNames) === 0) return;
  if (marked) engine.table.set(engine.node, NODE.durableEpoch, 0);
  append(engine, RECORD.synced, 0, 0, 0);
}

/** The node's data was put back: its next change is recorded anew. */
export function forgotten(engine: Engine): void {
  if (!isMarked(engine)) return;
  engine.table.set(engine.node, NODE.durableEpoch, 0);
  append(engine, RECORD.forgotten, 0, 0, 0);
}

const OF_DATA = new Set<number>([O.write, O.setattr, O.fallocate, O.fsync, O.fsyncdir, O.open]);

/** Whether an operation changes or syncs something that tracking has to know of. */
export function isRecorded(opcode: number): boolean {
  return OF_DATA.has(opcode) || changesNames(opcode);
}

/** Runs an operation that may change a file's data or a name, recording what it replaces. */
export function track(engine: Engine, run: () => number): number {
  switch (engine.opcode) {
    case O.write:
      return tracked(engine, () => {
        const fd = engine.descriptor(WriteIn.at.fh);
        if (fd !== -1) {
          beforeChange(engine, fd, engine.u64(WriteIn.at.offset), engine.u32(WriteIn.at.size));
        }
        const result = run();
        if ((engine.u32(WriteIn.at.flags) & O_DSYNC) !== 0 && result >= 0) synced(engine);
        return result;
      });
    case O.fallocate:
      return tracked(engine, () => {
        const fd = engine.descriptor(FallocateIn.at.fh);
        const offset = engine.u64(FallocateIn.at.offset);
        if (fd !== -1) beforeChange(engine, fd, offset, engine.u64(FallocateIn.at.length));
        return run();
      });
    case O.setattr:
      if ((engine.u32(SetattrIn.at.valid) & SETATTR.size) === 0) return run();
      return tracked(engine, () => {
        withDescriptor(engine, (fd) => {
          beforeChange(engine, fd, engine.u64(SetattrIn.at.size), Number.MAX_SAFE_INTEGER / 2);
        });
        return run();
      });
    case O.open:
      if ((engine.u32(OpenIn.at.flags) & O_TRUNC) === 0) return run();
      return tracked(engine, () => {
        withDescriptor(engine, (fd) => {
          beforeChange(engine, fd, 0, Number.MAX_SAFE_INTEGER / 2);
        });
        return run();
      });
    case O.fsync:
    case O.fsyncdir:
      return tracked(engine, () => {
        if (engine.descriptor(FsyncIn.at.fh) !== -1) synced(engine);
        return run();
      });
    default:
      return changesNames(engine.opcode) ? tracked(engine, () => trackNames(engine, run)) : run();
  }
}

function withDescriptor(engine: Engine, use: (fd: number) => void): void {
  // Not a pinned one: it may be O_PATH, which reads nothing.
  lockShared(engine.memory.words, WORD.pathLock);
  const fd = engine.reopen(engine.node, O_NONBLOCK);
  unlockShared(engine.memory.words, WORD.pathLock);
  if (fd < 0) return;
  use(fd);
  libc.close(fd);
}
