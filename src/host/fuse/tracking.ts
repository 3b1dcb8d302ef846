import { FallocateIn, OpenIn, SetattrIn, WriteIn } from '../../core/codec/fuse/messages.ts';
import { OPCODES, SETATTR } from '../../core/codec/fuse/constants.ts';
import { MAX_WRITE } from '../../core/codec/fuse/init.ts';
import {
  parseRecord,
  printRecord,
  RECORD,
  recordBytes,
  RecordHead,
  type RecordType,
} from '../../core/codec/undo-log.ts';
import { overlay, planLoss, type Image, type UnsyncedFile } from '../../core/disk/unsynced.ts';
import { Random } from '../../core/base/random.ts';
import type { Engine } from './engine.ts';
import { addressOf, libc } from './libc.ts';
import { lockExclusive, lockShared, unlockExclusive, unlockShared } from './lock.ts';
import { WORD } from './memory.ts';
import { NODE } from './node-table.ts';

/**
 * What was not fsynced, per file. An append costs one mark and no more: its durable bytes are
 * untouched. The log is bounded: when it is full everything is synced, as a kernel would do.
 */

const LOG_BYTES = 256 << 20;
const O = OPCODES;
const O_TRUNC = 0o1000;
const O_NONBLOCK = 0o4000;

interface LogFile {
  fd: number;
  buffer: Buffer;
  address: number;
  view: DataView;
}

const buffers = new WeakMap<Engine, LogFile>();

function logOf(engine: Engine): LogFile {
  let log = buffers.get(engine);
  if (log === undefined) {
    const buffer = Buffer.alloc(MAX_WRITE + 65_536);
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    log = { fd: engine.options.logFd, buffer, address: addressOf(buffer), view };
    buffers.set(engine, log);
  }
  return log;
}

export function isTracked(engine: Engine): boolean {
  return Atomics.load(engine.memory.words, WORD.tracking) !== 0;
}

/** Runs a change so that neither a power cut nor a reset of the log comes in between. */
export function tracked(engine: Engine, change: () => number): number {
  const { words } = engine.memory;
  if (Atomics.load(words, WORD.logTail) > LOG_BYTES) startOver(engine);
  lockShared(words, WORD.logLock);
  try {
    return change();
  } finally {
    unlockShared(words, WORD.logLock);
  }
}

/** Appends a record whose data stands in the log buffer behind the head. False: no room. */
function append(
  engine: Engine,
  type: RecordType,
  offset: number,
  size: number,
  dataBytes: number,
): boolean {
  const log = logOf(engine);
  const bytes = recordBytes(dataBytes);
  const at = Atomics.add(engine.memory.words, WORD.logTail, bytes);
  if (at + bytes > LOG_BYTES * 2) return false;
  const generation = engine.table.get(engine.node, NODE.generation) >>> 0;
  const head = { type, node: engine.node, generation, size, offset: BigInt(offset) };
  printRecord(head, log.view);
  return libc.pwrite(log.fd, log.address, bytes, at) === bytes;
}

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
  const log = logOf(engine);
  for (let at = offset; at < end;) {
    const part = Math.min(end - at, MAX_WRITE);
    const got = libc.pread(fd, log.address + RecordHead.size, part, at);
    if (got <= 0) return;
    append(engine, RECORD.image, at, got, got);
    at += got;
  }
}

/** The node is about to be synced: what was recorded of it is durable. */
export function synced(engine: Engine): void {
  if (!isMarked(engine)) return;
  engine.table.set(engine.node, NODE.durableEpoch, 0);
  append(engine, RECORD.synced, 0, 0, 0);
}

/** Runs an operation that may change a file's data, recording what it replaces. */
export function track(engine: Engine, run: () => number): number {
  switch (engine.opcode) {
    case O.write:
      return tracked(engine, () => {
        const fd = engine.descriptor(WriteIn.at.fh);
        if (fd !== -1) {
          beforeChange(engine, fd, engine.u64(WriteIn.at.offset), engine.u32(WriteIn.at.size));
        }
        return run();
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
      return tracked(engine, () => {
        synced(engine);
        return run();
      });
    default:
      return run();
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

/** Everything is durable now: the log starts empty. */
export function startOver(engine: Engine): void {
  const { words } = engine.memory;
  lockExclusive(words, WORD.logLock);
  try {
    libc.syncfs(engine.options.rootFd);
    clearLog(engine);
  } finally {
    unlockExclusive(words, WORD.logLock);
  }
}

/** Only with the log's lock held alone. */
function clearLog(engine: Engine): void {
  const { words } = engine.memory;
  libc.ftruncate(engine.options.logFd, 0);
  Atomics.store(words, WORD.logTail, 0);
  Atomics.add(words, WORD.trackEpoch, 1);
  for (let node = 1; node < engine.table.top(); node++) {
    const pin = engine.table.untrack(node);
    if (pin >= 0) libc.close(pin);
  }
  engine.closeOrphans();
}

interface Logged {
  node: number;
  generation: number;
  durableSize: number;
  images: Image[];
}

/** What the log says of each node. @param sinceSync whether a sync ends what was before. */
function readLog(engine: Engine, only: number, sinceSync: boolean): Map<number, Logged> {
  const files = new Map<number, Logged>();
  const log = logOf(engine);
  const tail = Atomics.load(engine.memory.words, WORD.logTail);
  for (let at = 0; at < tail;) {
    const got = libc.pread(log.fd, log.address, log.buffer.length, at);
    const head = got < RecordHead.size ? undefined : parseRecord(log.view);
    if (head === undefined) break;
    const bytes = recordBytes(head.type === RECORD.image ? head.size : 0);
    if (only === 0 || head.node === only) {
      const known = files.get(head.node);
      if (head.type === RECORD.synced && sinceSync) files.delete(head.node);
      else if (head.type === RECORD.mark && known === undefined) {
        const { node, generation } = head;
        files.set(node, { node, generation, durableSize: Number(head.offset), images: [] });
      } else if (head.type === RECORD.image && known !== undefined) {
        const data = log.buffer.subarray(RecordHead.size, RecordHead.size + head.size);
        known.images.push({ offset: Number(head.offset), bytes: new Uint8Array(data) });
      }
    }
    at += bytes;
  }
  return files;
}

/** A stale read: what was there when the log began. */
export function overlayStale(engine: Engine, offset: number, bytes: Uint8Array): void {
  const file = readLog(engine, engine.node, false).get(engine.node);
  if (file !== undefined) overlay({ ...file, size: 0 }, offset, bytes);
}

/**
 * After a failed fsync the unsynced data is gone from the disk (Rebello et al., ATC 2020): ext4 keeps
 * the size and reads zeros, XFS and btrfs are back at the old size. What the kernel's page cache holds
 * is not this function's: on btrfs it goes too, on ext4 and XFS it hides the loss until evicted.
 */
export function failUnsynced(engine: Engine, fd: number, after: 'ext4' | 'xfs' | 'btrfs'): void {
  const { words } = engine.memory;
  lockExclusive(words, WORD.logLock);
  try {
    const logged = readLog(engine, engine.node, true).get(engine.node);
    if (logged === undefined || engine.statDescriptor(fd) !== 0) return;
    const file: UnsyncedFile = { ...logged, size: engine.size };
    const edit = planLoss(file, 'all', new Random(0));
    writeBack(engine, fd, edit.truncateTo, edit.extendTo, edit.writes);
    if (after === 'ext4' && file.size > edit.extendTo) libc.ftruncate(fd, file.size);
    synced(engine);
  } finally {
    unlockExclusive(words, WORD.logLock);
  }
}

function writeBack(
  engine: Engine,
  fd: number,
  truncateTo: number,
  extendTo: number,
  writes: readonly Image[],
): void {
  const log = logOf(engine);
  libc.ftruncate(fd, truncateTo);
  if (extendTo > truncateTo) libc.ftruncate(fd, extendTo);
  for (const write of writes) {
    for (let done = 0; done < write.bytes.length; done += MAX_WRITE) {
      const part = write.bytes.subarray(done, done + MAX_WRITE);
      log.buffer.set(part);
      libc.pwrite(fd, log.address, part.length, write.offset + done);
    }
  }
}

export interface LostFile {
  path: string;
  node: number;
  /** Bytes at the end that are gone, and bytes put back to what they were. */
  truncated: number;
  restored: number;
}

/** Loses what was not fsynced. The program that wrote it must be dead: its pages are not ours. */
export function loseUnsynced(
  engine: Engine,
  loss: 'all' | 'subset' | 'torn' | 'reordered',
  seed: number,
): LostFile[] {
  const { words } = engine.memory;
  const lost: LostFile[] = [];
  lockExclusive(words, WORD.logLock);
  try {
    const random = new Random(seed);
    for (const logged of readLog(engine, 0, true).values()) {
      if (engine.table.get(logged.node, NODE.generation) >>> 0 !== logged.generation) continue;
      const path = engine.table.pathOf(logged.node) ?? '';
      engine.node = logged.node;
      const fd = engine.reopen(logged.node, 2);
      if (fd < 0) continue;
      if (engine.statDescriptor(fd) === 0) {
        const { size } = engine;
        const edit = planLoss({ ...logged, size }, loss, random.fork(path));
        writeBack(engine, fd, edit.truncateTo, edit.extendTo, edit.writes);
        const restored = edit.writes.reduce((sum, write) => sum + write.bytes.length, 0);
        const truncated = Math.max(0, size - edit.extendTo);
        lost.push({ path, node: logged.node, truncated, restored });
      }
      libc.close(fd);
    }
    clearLog(engine);
    libc.syncfs(engine.options.rootFd);
  } finally {
    unlockExclusive(words, WORD.logLock);
  }
  return lost;
}
