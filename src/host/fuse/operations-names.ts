import { constants } from 'node:fs';
import { Attr, EntryOut, LinkIn, MkdirIn, MknodIn } from '../../core/codec/fuse/messages.ts';
import { Rename2In, RenameIn } from '../../core/codec/fuse/messages.ts';
import { OPCODES, OUT_HEADER_BYTES } from '../../core/codec/fuse/constants.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import { AT, libc, O_CLOEXEC, O_PATH } from './libc.ts';
import { lockExclusive, unlockExclusive } from './lock.ts';
import { WORD } from './memory.ts';
import type { Engine } from './engine.ts';
import type { Name } from './name-table.ts';
import { NODE } from './node-row.ts';

/** Operations on names. Those that move or remove a name hold the path lock alone. */

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_ISGID = 0o2000;
const RENAME_EXCHANGE = 2;

export function lookup(engine: Engine): number {
  const name = engine.entryName(0);
  const parentFd = engine.directory(engine.node);
  if (name === undefined) return -ERRNO.EINVAL;
  if (parentFd === -1) return engine.failed();
  const found = engine.replyEntry(engine.node, parentFd, name);
  if (found !== -ERRNO.ENOENT) return found;
  const seconds = engine.absentSeconds(engine.node, name);
  if (seconds === 0) return found;
  // Node 0 with a time is a name known not to be there.
  engine.output.fill(0, OUT_HEADER_BYTES, OUT_HEADER_BYTES + EntryOut.size + Attr.size);
  engine.outputView.setUint32(OUT_HEADER_BYTES + EntryOut.at.entryValid, seconds, true);
  return EntryOut.size + Attr.size;
}

function withParent(
  engine: Engine,
  name: Name | undefined,
  make: (parentFd: number, path: number) => number,
): number {
  if (name === undefined) return -ERRNO.EINVAL;
  const parentFd = engine.directory(engine.node);
  if (parentFd === -1) return engine.failed();
  engine.becomeCaller();
  const made = make(parentFd, engine.addressOfName(name));
  const error = made === -1 ? engine.failed() : 0;
  engine.becomeRoot();
  return error === 0 ? engine.replyEntry(engine.node, parentFd, name) : error;
}

export function mkdir(engine: Engine): number {
  const mode = engine.u32(MkdirIn.at.mode);
  return withParent(engine, engine.entryName(MkdirIn.size), (fd, path) =>
    libc.mkdirat(fd, path, mode),
  );
}

export function mknod(engine: Engine): number {
  const mode = engine.u32(MknodIn.at.mode);
  const device = engine.u32(MknodIn.at.rdev);
  const name = engine.entryName(MknodIn.size);
  const special = (mode & S_IFMT) !== S_IFREG && (mode & S_IFMT) !== 0;
  // The kernel's new_encode_dev back into the C library's 64-bit form.
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  const wide = BigInt((major << 8) | (minor & 0xff)) | (BigInt(minor >>> 8) << 20n);
  return withParent(engine, name, (fd, path) => {
    const made = libc.mknodat(fd, path, mode, special ? wide : 0);
    return made === 0 ? keepGroupBit(engine, fd, path, mode) : made;
  });
}

/** The kernel has decided that the caller may set it (vfs_prepare_mode); a group of ours may not. */
export function keepGroupBit(engine: Engine, dirfd: number, path: number, mode: number): number {
  if ((mode & S_ISGID) === 0 || engine.uid === 0) return 0;
  engine.becomeRoot();
  const fd = libc.openat(dirfd, path, O_PATH | constants.O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd === -1) return 0;
  if (engine.statDescriptor(fd) === 0 && (engine.mode & S_ISGID) === 0) {
    libc.chmod(engine.procPath(fd), (engine.mode & 0o7777) | S_ISGID);
  }
  libc.close(fd);
  return 0;
}

export function symlink(engine: Engine): number {
  const name = engine.entryName(0);
  const target = engine.name(0, 1);
  if (target === undefined) return -ERRNO.ENOENT;
  const targetAddress = engine.addressOfName(target);
  return withParent(engine, name, (fd, path) => libc.symlinkat(targetAddress, fd, path));
}

export function readlink(engine: Engine): number {
  const found = engine.locate(engine.node);
  if (found !== 0) return found;
  const into = engine.outputAddress + OUT_HEADER_BYTES;
  const length = libc.readlinkat(engine.dirfd, engine.path, into, 4096);
  return length === -1 ? engine.failed() : length;
}

export function link(engine: Engine): number {
  const name = engine.entryName(LinkIn.size);
  const parentFd = engine.directory(engine.node);
  if (name === undefined) return -ERRNO.EINVAL;
  if (parentFd === -1) return engine.failed();
  const found = engine.locate(engine.u64(LinkIn.at.oldnodeid));
  if (found !== 0) return found;
  const flags = engine.atFlags === AT.emptyPath ? AT.emptyPath : 0;
  const path = engine.addressOfName(name);
  const linked = libc.linkat(engine.dirfd, engine.path, parentFd, path, flags);
  return linked === -1 ? engine.failed() : engine.replyEntry(engine.node, parentFd, name);
}

/** Removes a name, keeping what somebody still uses alive. */
export function unlink(engine: Engine): number {
  const name = engine.entryName(0);
  if (name === undefined) return -ERRNO.EINVAL;
  const { words } = engine.memory;
  lockExclusive(words, WORD.pathLock);
  try {
    const parentFd = engine.directory(engine.node);
    if (parentFd === -1) return engine.failed();
    const flags = engine.opcode === OPCODES.rmdir ? AT.removedir : 0;
    const kept = keep(engine, parentFd, engine.node, name);
    if (libc.unlinkat(parentFd, engine.addressOfName(name), flags) === -1) {
      const error = engine.failed();
      engine.close(kept.fd);
      return error;
    }
    lose(engine, kept, engine.node, name);
    return 0;
  } finally {
    unlockExclusive(words, WORD.pathLock);
  }
}

interface Kept {
  node: number;
  fd: number;
}

/**
 * The node a name leads to, or 0. The kernel moves and removes only what it has looked up before, so
 * in a directory that is ours alone the table knows.
 */
export function nodeAt(engine: Engine, parent: number, name: Name): number {
  if (engine.options.isExclusive) return engine.table.child(parent, name);
  const parentFd = engine.directory(parent);
  if (parentFd === -1) return 0;
  const looked = engine.stat(parentFd, engine.addressOfName(name), AT.symlinkNofollow);
  return looked === 0 ? engine.known() : 0;
}

/** Before the name goes: which node it leads to, and a descriptor where no other keeps it. */
function keep(engine: Engine, parentFd: number, parent: number, name: Name): Kept {
  const node = nodeAt(engine, parent, name);
  if (node === 0 || engine.table.openDescriptor(node) !== -1) return { node, fd: -1 };
  const flags = O_PATH | constants.O_NOFOLLOW | O_CLOEXEC;
  return { node, fd: libc.openat(parentFd, engine.addressOfName(name), flags, 0) };
}

/** The name is gone from the backing directory. */
function lose(engine: Engine, kept: Kept, parent: number, name: Name): void {
  if (kept.node === 0) return;
  const named = engine.table.removeName(kept.node, parent, name);
  if (kept.fd === -1) return;
  if (named || !engine.table.pin(kept.node, kept.fd)) libc.close(kept.fd);
}

export function rename(engine: Engine): number {
  const is2 = engine.opcode === OPCODES.rename2;
  const flags = is2 ? engine.u32(Rename2In.at.flags) : 0;
  const from = is2 ? Rename2In.size : RenameIn.size;
  const oldName = engine.entryName(from);
  const newName = engine.entryName(from, 1);
  const newParent = engine.u64(RenameIn.at.newdir);
  if (oldName === undefined || newName === undefined) return -ERRNO.EINVAL;
  if (!engine.table.isLive(newParent)) return -ERRNO.ESTALE;
  const { words } = engine.memory;
  lockExclusive(words, WORD.pathLock);
  try {
    return move(
      engine,
      { parent: engine.node, name: oldName },
      { parent: newParent, name: newName },
      flags,
    );
  } finally {
    unlockExclusive(words, WORD.pathLock);
  }
}

interface Place {
  parent: number;
  name: Name;
}

function move(engine: Engine, from: Place, to: Place, flags: number): number {
  const { table } = engine;
  const oldFd = engine.directory(from.parent);
  const newFd = oldFd === -1 ? -1 : engine.directory(to.parent);
  if (newFd === -1) return engine.failed();
  const oldPath = engine.addressOfName(from.name);
  const newPath = engine.addressOfName(to.name);
  const source = nodeAt(engine, from.parent, from.name);
  const target = keep(engine, newFd, to.parent, to.name);
  if (libc.renameat2(oldFd, oldPath, newFd, newPath, flags) === -1) {
    const error = engine.failed();
    engine.close(target.fd);
    return error;
  }
  // Paths below a directory that moved: all that was found out about paths is void.
  const moved = [source, target.node].some((node) => table.get(node, NODE.type) === S_IFDIR);
  if (moved) Atomics.add(engine.memory.words, WORD.pathEpoch, 1);
  if ((flags & RENAME_EXCHANGE) !== 0) {
    engine.close(target.fd);
    table.addName(source, to.parent, to.name);
    table.removeName(source, from.parent, from.name);
    table.addName(target.node, from.parent, from.name);
    table.removeName(target.node, to.parent, to.name);
    return 0;
  }
  if (source !== 0 && source === target.node) {
    // Two names of one file: rename(2) does nothing, and both stay.
    engine.close(target.fd);
    return 0;
  }
  lose(engine, target, to.parent, to.name);
  if (source === 0) return 0;
  table.addName(source, to.parent, to.name);
  table.removeName(source, from.parent, from.name);
  return 0;
}
