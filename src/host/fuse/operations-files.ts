import { constants } from 'node:fs';
import {
  Attr,
  CopyFileRangeIn,
  CreateIn,
  EntryOut,
  FallocateIn,
  FsyncIn,
  LseekIn,
  LseekOut,
  OpenIn,
  OpenOut,
  ReadIn,
  ReleaseIn,
  WriteIn,
  WriteOut,
} from '../../core/codec/fuse/messages.ts';
import {
  FOPEN,
  FSYNC_DATA_ONLY,
  OPEN_KILL_SUIDGID,
  OUT_HEADER_BYTES,
  WRITE_KILL_SUIDGID,
} from '../../core/codec/fuse/constants.ts';
import { MAX_WRITE } from '../../core/codec/fuse/init.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import { cString, lastErrno, libc, O_CLOEXEC, O_TMPFILE_BIT } from './libc.ts';
import { WORD } from './memory.ts';
import { keepGroupBit } from './operations-names.ts';
import type { Engine } from './engine.ts';
import type { Name } from './name-table.ts';
import { NODE, PRIVILEGED } from './node-row.ts';

/** Operations on open files. The file handle the kernel holds is the backing descriptor itself. */

const { O_ACCMODE, O_APPEND, O_CREAT, O_EXCL, O_RDWR, O_WRONLY, O_DIRECT, O_NOCTTY } = {
  ...constants,
  O_ACCMODE: 3,
};

/**
 * Flags for the backing file: readable even if the caller only writes (pre-images are read), no
 * O_APPEND (pwrite would ignore the offset), no O_DIRECT (our buffers are not the caller's).
 */
function backingFlags(flags: number): number {
  const access = (flags & O_ACCMODE) === O_WRONLY ? O_RDWR : flags & O_ACCMODE;
  const dropped = O_ACCMODE | O_APPEND | O_CREAT | O_EXCL | O_NOCTTY | O_DIRECT;
  // Never to wait for a FIFO's other end: the kernel sends no such open, but who knows.
  return (flags & ~dropped) | access | O_CLOEXEC | constants.O_NONBLOCK;
}

/** FLUSH says that a descriptor is closed: nothing of ours, unless a fault waits for it. */
function printOpen(engine: Engine, at: number, fd: number, node: number): number {
  engine.outputView.setUint32(at, fd, true);
  engine.outputView.setUint32(at + 4, 0, true);
  const keeps = engine.options.isExclusive ? FOPEN.keepCache : 0;
  const flags = keeps | (engine.wantsFlush(node) ? 0 : FOPEN.noflush);
  engine.outputView.setUint32(at + OpenOut.at.openFlags, flags, true);
  engine.outputView.setUint32(at + OpenOut.at.backingId, 0, true);
  return OpenOut.size;
}

/** Hands a descriptor to the kernel. 0 or a negative errno. */
function register(engine: Engine, node: number, fd: number, flags: number): number {
  if (engine.table.opened(node, fd, flags)) return 0;
  libc.close(fd);
  return -ERRNO.EMFILE;
}

export function open(engine: Engine): number {
  const flags = engine.u32(OpenIn.at.flags);
  let fd = engine.reopen(engine.node, backingFlags(flags));
  // An append-only file (chattr +a) opens for appending alone.
  if (fd === -ERRNO.EPERM) fd = engine.reopen(engine.node, flags & ~(O_CREAT | O_EXCL | O_DIRECT));
  if (fd < 0) return fd;
  const kill = (engine.u32(OpenIn.at.openFlags) & OPEN_KILL_SUIDGID) !== 0;
  if (kill) killPrivileges(engine, fd);
  const registered = register(engine, engine.node, fd, flags);
  return registered === 0 ? printOpen(engine, OUT_HEADER_BYTES, fd, engine.node) : registered;
}

export function create(engine: Engine): number {
  const name = engine.entryName(CreateIn.size);
  const parentFd = engine.directory(engine.node);
  if (name === undefined) return -ERRNO.EINVAL;
  if (parentFd === -1) return engine.failed();
  const flags = engine.u32(CreateIn.at.flags);
  const mode = engine.u32(CreateIn.at.mode);
  const path = engine.addressOfName(name);
  const wanted = backingFlags(flags) | O_CREAT | (flags & O_EXCL) | constants.O_NOFOLLOW;
  engine.becomeCaller();
  const fd = libc.openat(parentFd, path, wanted, mode);
  const error = fd === -1 ? engine.failed() : 0;
  engine.becomeRoot();
  if (error !== 0) return error;
  keepGroupBit(engine, parentFd, path, mode);
  return created(engine, fd, flags, name);
}

function created(engine: Engine, fd: number, flags: number, name: Name | undefined): number {
  let error = engine.statDescriptor(fd);
  const nameless = { bytes: engine.input, from: 0, length: 0 };
  const parent = name === undefined ? 0 : engine.node;
  if (error === 0) error = engine.printEntry(OUT_HEADER_BYTES, parent, name ?? nameless);
  if (error === 0) {
    const node = engine.outputView.getUint32(OUT_HEADER_BYTES, true);
    error = register(engine, node, fd, flags);
    if (error !== 0) return error;
    const size = EntryOut.size + Attr.size;
    return size + printOpen(engine, OUT_HEADER_BYTES + size, fd, node);
  }
  libc.close(fd);
  return error;
}

const DOT = cString('.');

export function tmpfile(engine: Engine): number {
  const parentFd = engine.directory(engine.node);
  if (parentFd === -1) return engine.failed();
  const flags = engine.u32(CreateIn.at.flags);
  // Without O_CREAT and with O_EXCL only where the caller gave it: O_EXCL forbids a later link.
  const wanted = backingFlags(flags) | O_TMPFILE_BIT | constants.O_DIRECTORY | (flags & O_EXCL);
  engine.becomeCaller();
  const fd = libc.openat(parentFd, DOT.address, wanted, engine.u32(CreateIn.at.mode));
  const error = fd === -1 ? engine.failed() : 0;
  engine.becomeRoot();
  return error === 0 ? created(engine, fd, flags, undefined) : error;
}

export function release(engine: Engine): number {
  const fd = engine.descriptor(ReleaseIn.at.fh);
  if (fd === -1) return -ERRNO.EBADF;
  for (const closed of engine.table.closing(engine.node, fd)) libc.close(closed);
  engine.closeOrphans();
  return 0;
}

export function read(engine: Engine): number {
  const fd = engine.descriptor(ReadIn.at.fh);
  if (fd === -1) return -ERRNO.EBADF;
  const size = Math.min(engine.u32(ReadIn.at.size), MAX_WRITE);
  const offset = engine.u64(ReadIn.at.offset);
  const length = libc.pread(fd, engine.outputAddress + OUT_HEADER_BYTES, size, offset);
  return length === -1 ? engine.failed() : length;
}

/** Where a write's data is and how much; undefined where the request lies about it. */
export function writeData(engine: Engine): { from: number; size: number } | undefined {
  const from = engine.body + WriteIn.size;
  const size = engine.u32(WriteIn.at.size);
  return from + size > engine.end ? undefined : { from, size };
}

export function replyWritten(engine: Engine, size: number): number {
  engine.outputView.setUint32(OUT_HEADER_BYTES + WriteOut.at.size, size, true);
  engine.outputView.setUint32(OUT_HEADER_BYTES + WriteOut.at.padding, 0, true);
  return WriteOut.size;
}

export function write(engine: Engine): number {
  const fd = engine.descriptor(WriteIn.at.fh);
  if (fd === -1) return -ERRNO.EBADF;
  const size = engine.u32(WriteIn.at.size);
  const from = engine.body + WriteIn.size;
  if (from + size > engine.end) return -ERRNO.EINVAL;
  maybeKillPrivileges(engine, fd);
  const written = libc.pwrite(fd, engine.inputAddress + from, size, engine.u64(WriteIn.at.offset));
  return written === -1 ? engine.failed() : replyWritten(engine, written);
}

export function maybeKillPrivileges(engine: Engine, fd: number): void {
  if ((engine.u32(WriteIn.at.writeFlags) & WRITE_KILL_SUIDGID) === 0) return;
  if ((engine.table.get(engine.node, NODE.flags) & PRIVILEGED) !== 0) killPrivileges(engine, fd);
}

/** What the kernel does at a write by somebody without CAP_FSETID (FUSE_HANDLE_KILLPRIV_V2). */
export function killPrivileges(engine: Engine, fd: number): void {
  if (engine.statDescriptor(fd) !== 0) return;
  const { mode } = engine;
  let kept = mode & ~0o4000;
  if ((mode & 0o10) !== 0) kept &= ~0o2000;
  if (kept !== mode) libc.fchmod(fd, kept & 0o7777);
  libc.removexattr(engine.procPath(fd), CAPABILITY.address);
  engine.table.setFlag(engine.node, PRIVILEGED, false);
}

const CAPABILITY = cString('security.capability');

export function fsync(engine: Engine): number {
  const fd = engine.descriptor(FsyncIn.at.fh);
  if (fd === -1) return -ERRNO.EBADF;
  const dataOnly = (engine.u32(FsyncIn.at.fsyncFlags) & FSYNC_DATA_ONLY) !== 0;
  return (dataOnly ? libc.fdatasync(fd) : libc.fsync(fd)) === -1 ? engine.failed() : 0;
}

export function fallocate(engine: Engine): number {
  const fd = engine.descriptor(FallocateIn.at.fh);
  if (fd === -1) return -ERRNO.EBADF;
  const mode = engine.u32(FallocateIn.at.mode);
  const offset = engine.big(FallocateIn.at.offset);
  const done = libc.fallocate(fd, mode, offset, engine.big(FallocateIn.at.length));
  return done === -1 ? engine.failed() : 0;
}

export function lseek(engine: Engine): number {
  const fd = engine.descriptor(LseekIn.at.fh);
  if (fd === -1) return -ERRNO.EBADF;
  const whence = engine.u32(LseekIn.at.whence);
  const at = libc.lseek(fd, engine.big(LseekIn.at.offset), whence);
  if (at === -1) return engine.failed();
  engine.outputView.setBigUint64(OUT_HEADER_BYTES + LseekOut.at.offset, BigInt(at), true);
  return LseekOut.size;
}

/** With faults in force the kernel copies by reads and writes instead, so that these apply. */
export function copyFileRange(engine: Engine): number {
  const { words } = engine.memory;
  if (words[WORD.active] !== 0 || words[WORD.tracking] !== 0) return -ERRNO.EOPNOTSUPP;
  const from = engine.descriptor(CopyFileRangeIn.at.fhIn);
  const to = engine.descriptor(CopyFileRangeIn.at.fhOut, engine.u64(CopyFileRangeIn.at.nodeidOut));
  if (from === -1 || to === -1) return -ERRNO.EBADF;
  const offsets = engine.scratch;
  offsets.writeBigInt64LE(engine.big(CopyFileRangeIn.at.offIn), 0);
  offsets.writeBigInt64LE(engine.big(CopyFileRangeIn.at.offOut), 8);
  const size = Math.min(engine.u64(CopyFileRangeIn.at.len), 0x7ffff000);
  const at = engine.scratchAddress;
  const copied = libc.copyFileRange(from, at, to, at + 8, size, 0);
  return copied === -1 ? -lastErrno() : replyWritten(engine, copied);
}
