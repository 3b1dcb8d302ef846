import {
  dataBytes,
  parseName,
  parseRecord,
  printName,
  printRecord,
  RECORD,
  recordBytes,
  RecordHead,
  type LoggedName,
  type RecordType,
} from '../../core/disk/undo-log.ts';
import { MAX_WRITE } from '../../core/codec/fuse/init.ts';
import type { Engine } from './engine.ts';
import { addressOf, libc } from './libc.ts';
import { lockExclusive, lockShared, unlockExclusive, unlockShared } from './lock.ts';
import { WORD } from './memory.ts';
import { NODE } from './node-row.ts';

/**
 * The log of what was not fsynced, in a memory file all threads write (disk/undo-log.ts). It is
 * bounded, as are the descriptors of removed files in it: when it is full everything is synced, as a
 * kernel would do.
 */

const LOG_BYTES = 256 << 20;
/** Bytes of removed files that nobody else holds. */
const GRAVES_KIB = 1 << 20;

interface LogFile {
  fd: number;
  buffer: Buffer;
  address: number;
  view: DataView;
}

const buffers = new WeakMap<Engine, LogFile>();

/** A thread's way to the log; a record's data goes to its buffer, behind the head. */
export function logOf(engine: Engine): LogFile {
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

/** Something did not go into the log: what is in there is not to be undone, or half of it would be. */
export function hasLost(engine: Engine): boolean {
  return Atomics.load(engine.memory.words, WORD.logLost) !== 0;
}

/** More than the log takes: it is durable, as everything is, once the change is done. */
export function lose(engine: Engine): false {
  Atomics.store(engine.memory.words, WORD.logLost, 1);
  return false;
}

/** Whether so many bytes of one change go into the log. */
export function isRecordable(bytes: number): boolean {
  return bytes <= LOG_BYTES;
}

function isFull(engine: Engine): boolean {
  const { words, shared } = engine.memory;
  const graves = Math.min(4096, shared.sizes.files >> 3);
  return (
    hasLost(engine) ||
    Atomics.load(words, WORD.logTail) > LOG_BYTES ||
    Atomics.load(words, WORD.graves) > graves ||
    Atomics.load(words, WORD.gravesKiB) > GRAVES_KIB
  );
}

/** Runs a change so that neither a power cut nor a reset of the log comes in between. */
export function tracked(engine: Engine, change: () => number): number {
  const { words } = engine.memory;
  if (isFull(engine)) startOver(engine);
  lockShared(words, WORD.logLock);
  try {
    return change();
  } finally {
    unlockShared(words, WORD.logLock);
    if (hasLost(engine)) startOver(engine);
  }
}

/** Appends a record whose data stands in the log buffer behind the head. False: no room. */
export function append(
  engine: Engine,
  type: RecordType,
  offset: number,
  size: number,
  data: number,
): boolean {
  const log = logOf(engine);
  const { words } = engine.memory;
  const bytes = recordBytes(data);
  if (hasLost(engine) || Atomics.load(words, WORD.logTail) > LOG_BYTES * 2) return lose(engine);
  const at = Atomics.add(words, WORD.logTail, bytes);
  const generation = engine.table.get(engine.node, NODE.generation) >>> 0;
  const head = { type, node: engine.node, generation, size, offset: BigInt(offset) };
  printRecord(head, log.view);
  return libc.pwrite(log.fd, log.address, bytes, at) === bytes || lose(engine);
}

/** Appends a change of names in the directory that the request is about. */
export function appendName(engine: Engine, logged: LoggedName): void {
  const log = logOf(engine);
  const size = printName(logged, log.buffer, log.view, RecordHead.size);
  append(engine, RECORD.name, 0, size, size);
  Atomics.add(engine.memory.words, WORD.logNames, 1);
}

export interface Logged {
  type: RecordType;
  node: number;
  generation: number;
  offset: number;
  /** A view that the next record overwrites. */
  data: Buffer;
  /** Where `data` starts in the log's buffer. */
  at: number;
}

/** All records, oldest first. Nobody may append meanwhile, and `use` must not: it has the buffer. */
export function readLog(engine: Engine, use: (record: Logged) => void): void {
  const log = logOf(engine);
  const tail = Atomics.load(engine.memory.words, WORD.logTail);
  let start = 0;
  let have = 0;
  for (let at = 0; at < tail;) {
    let from = at - start;
    let head = from + RecordHead.size <= have ? parseRecord(log.view, from) : undefined;
    if (head === undefined || from + recordBytes(dataBytes(head)) > have) {
      start = at;
      from = 0;
      have = Math.max(0, libc.pread(log.fd, log.address, log.buffer.length, start));
      head = have < RecordHead.size ? undefined : parseRecord(log.view);
      if (head === undefined || recordBytes(dataBytes(head)) > have) return;
    }
    const size = dataBytes(head);
    const behind = from + RecordHead.size;
    use({
      type: head.type as RecordType,
      node: head.node,
      generation: head.generation,
      offset: Number(head.offset),
      data: log.buffer.subarray(behind, behind + size),
      at: behind,
    });
    at += recordBytes(size);
  }
}

/** The change of names that a record holds. */
export function nameIn(engine: Engine, record: Logged): LoggedName | undefined {
  const log = logOf(engine);
  return parseName(record.node, log.buffer, log.view, record.at);
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

const EMPTIED = [WORD.logTail, WORD.logNames, WORD.graves, WORD.gravesKiB, WORD.logLost];

/** Only with the log's lock held alone. */
export function clearLog(engine: Engine): void {
  const { words } = engine.memory;
  if (Atomics.load(words, WORD.graves) > 0) {
    readLog(engine, (record) => {
      const named = record.type === RECORD.name ? nameIn(engine, record) : undefined;
      if (named !== undefined && named.grave !== -1) libc.close(named.grave);
    });
  }
  libc.ftruncate(engine.options.logFd, 0);
  for (const word of EMPTIED) {
    Atomics.store(words, word, 0);
  }
  Atomics.add(words, WORD.trackEpoch, 1);
  for (let node = 1; node < engine.table.top(); node++) {
    const pin = engine.table.untrack(node);
    if (pin >= 0) libc.close(pin);
  }
  engine.closeOrphans();
}
