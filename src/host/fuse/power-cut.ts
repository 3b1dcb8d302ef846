import { MAX_WRITE } from '../../core/codec/fuse/init.ts';
import { RECORD } from '../../core/disk/undo-log.ts';
import type { NameModel } from '../../core/disk/names.ts';
import {
  overlay,
  planLoss,
  type FileEdit,
  type Image,
  type Loss,
  type UnsyncedFile,
} from '../../core/disk/unsynced.ts';
import { Random } from '../../core/base/random.ts';
import type { Engine } from './engine.ts';
import { lastErrno, libc } from './libc.ts';
import { lockExclusive, unlockExclusive } from './lock.ts';
import { WORD } from './memory.ts';
import { loseNames, type LostName } from './name-undo.ts';
import { NODE } from './node-row.ts';
import { forgotten } from './tracking.ts';
import { clearLog, hasLost, logOf, readLog } from './undo-log.ts';

/** What becomes of what was not fsynced: lost in a power cut, or by an fsync that failed. */

interface Unsynced {
  node: number;
  generation: number;
  durableSize: number;
  images: Image[];
}

/** What the log says of each node's data. @param sinceSync whether a sync ends what was before. */
function readFiles(engine: Engine, only: number, sinceSync: boolean): Map<number, Unsynced> {
  const files = new Map<number, Unsynced>();
  readLog(engine, ({ type, node, generation, offset, data }) => {
    if (only !== 0 && node !== only) return;
    const known = files.get(node);
    const ends = type === RECORD.synced || type === RECORD.forgotten;
    if (ends && sinceSync) files.delete(node);
    else if (type === RECORD.mark && known === undefined) {
      files.set(node, { node, generation, durableSize: offset, images: [] });
    } else if (type === RECORD.image && known !== undefined) {
      known.images.push({ offset, bytes: new Uint8Array(data) });
    }
  });
  return files;
}

/** A stale read: what was there when the log began. */
export function overlayStale(engine: Engine, offset: number, bytes: Uint8Array): void {
  const file = readFiles(engine, engine.node, false).get(engine.node);
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
    const logged = hasLost(engine)
      ? undefined
      : readFiles(engine, engine.node, true).get(engine.node);
    if (logged === undefined || engine.statDescriptor(fd) !== 0) return;
    const file: UnsyncedFile = { ...logged, size: engine.size };
    const edit = planLoss(file, 'all', new Random(0));
    writeBack(engine, fd, edit);
    if (after === 'ext4' && file.size > edit.extendTo) libc.ftruncate(fd, file.size);
    forgotten(engine);
  } finally {
    unlockExclusive(words, WORD.logLock);
  }
}

/** @returns 0, or the errno of the first part that could not be put back. */
function writeBack(engine: Engine, fd: number, edit: FileEdit): number {
  const log = logOf(engine);
  let errno = 0;
  const note = (done: number): void => {
    if (done === -1) errno ||= lastErrno();
  };
  note(libc.ftruncate(fd, edit.truncateTo));
  if (edit.extendTo > edit.truncateTo) note(libc.ftruncate(fd, edit.extendTo));
  for (const write of edit.writes) {
    for (let done = 0; done < write.bytes.length; done += MAX_WRITE) {
      const part = write.bytes.subarray(done, done + MAX_WRITE);
      log.buffer.set(part);
      note(libc.pwrite(fd, log.address, part.length, write.offset + done));
    }
  }
  return errno;
}

export interface LostFile {
  path: string;
  node: number;
  /** Bytes at the end that are gone, and bytes put back to what they were. */
  truncated: number;
  restored: number;
  /** Why not all of it could be lost. */
  errno?: number;
}

/** What a power cut lost. */
export interface Lost {
  files: LostFile[];
  names: LostName[];
}

/**
 * Loses what was not fsynced: names first, then what the files that are left hold. The program that
 * wrote it must be dead: its pages are not ours.
 */
export function loseUnsynced(
  engine: Engine,
  given: { loss: Loss; seed: number; names: NameModel },
): Lost {
  const { words } = engine.memory;
  const random = new Random(given.seed);
  lockExclusive(words, WORD.logLock);
  lockExclusive(words, WORD.pathLock);
  try {
    if (hasLost(engine)) {
      libc.syncfs(engine.options.rootFd);
      clearLog(engine);
      return { files: [], names: [] };
    }
    engine.directories.clear();
    const names = loseNames(engine, given.loss, given.names, random.fork('names'));
    const files = loseData(engine, given.loss, random);
    engine.directories.clear();
    clearLog(engine);
    libc.syncfs(engine.options.rootFd);
    return { files, names };
  } finally {
    unlockExclusive(words, WORD.pathLock);
    unlockExclusive(words, WORD.logLock);
  }
}

function loseData(engine: Engine, loss: Loss, random: Random): LostFile[] {
  const lost: LostFile[] = [];
  for (const logged of readFiles(engine, 0, true).values()) {
    if (engine.table.get(logged.node, NODE.generation) >>> 0 !== logged.generation) continue;
    const path = engine.table.pathOf(logged.node) ?? '';
    engine.node = logged.node;
    // One that has no name any more is nobody's loss.
    const fd = path === '' ? -1 : engine.reopen(logged.node, 2);
    if (fd < 0) {
      if (path !== '')
        lost.push({ path, node: logged.node, truncated: 0, restored: 0, errno: -fd });
      continue;
    }
    if (engine.statDescriptor(fd) === 0) {
      const { size } = engine;
      const edit = planLoss({ ...logged, size }, loss, random.fork(path));
      const errno = writeBack(engine, fd, edit);
      const restored = edit.writes.reduce((sum, write) => sum + write.bytes.length, 0);
      const truncated = Math.max(0, size - edit.extendTo);
      const failed = errno === 0 ? {} : { errno };
      lost.push({ path, node: logged.node, truncated, restored, ...failed });
    }
    libc.close(fd);
  }
  return lost;
}
