import { constants } from 'node:fs';
import {
  GetattrIn,
  GetxattrIn,
  GetxattrOut,
  SetattrIn,
  SetxattrIn,
  StatfsOut,
} from '../../core/codec/fuse/messages.ts';
import { GETATTR_FH, OUT_HEADER_BYTES, SETATTR } from '../../core/codec/fuse/constants.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import { AT, libc } from './libc.ts';
import { killPrivileges } from './operations-files.ts';
import { PRIVILEGED } from './node-row.ts';
import type { Engine } from './engine.ts';

/** Attributes, extended attributes, and those of the file system. */

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;
const NOT_SET = 0xffffffff;

export function getattr(engine: Engine): number {
  const byHandle = (engine.u32(GetattrIn.at.flags) & GETATTR_FH) !== 0;
  const fd = byHandle ? engine.descriptor(GetattrIn.at.fh) : -1;
  const looked = fd === -1 ? look(engine) : engine.statDescriptor(fd);
  return looked === 0 ? engine.replyAttr(engine.node) : looked;
}

function look(engine: Engine): number {
  const found = engine.locate(engine.node);
  return found === 0 ? engine.stat(engine.dirfd, engine.path, engine.atFlags) : found;
}

export function setattr(engine: Engine): number {
  const valid = engine.u32(SetattrIn.at.valid);
  const given = (valid & SETATTR.fh) !== 0 ? engine.descriptor(SetattrIn.at.fh) : -1;
  const needsHandle = (valid & (SETATTR.mode | SETATTR.killSuidgid)) !== 0;
  const own = given === -1 && needsHandle ? engine.handle(engine.node) : -1;
  if (given === -1 && needsHandle && own < 0) return own;
  const fd = given === -1 ? own : given;
  try {
    return (
      setMode(engine, valid, fd) ||
      setOwner(engine, valid) ||
      setSize(engine, valid, given) ||
      setTimes(engine, valid, given) ||
      getattr(engine)
    );
  } finally {
    engine.close(own);
  }
}

function setMode(engine: Engine, valid: number, fd: number): number {
  if ((valid & SETATTR.mode) === 0) return 0;
  const mode = engine.u32(SetattrIn.at.mode) & 0o7777;
  return libc.chmod(engine.procPath(fd), mode) === -1 ? engine.failed() : 0;
}

/** The caller set nothing: a chown(2) to -1 and -1, which changes the time of the last change all the same. */
const SOMETHING =
  SETATTR.mode |
  SETATTR.uid |
  SETATTR.gid |
  SETATTR.size |
  SETATTR.atime |
  SETATTR.mtime |
  SETATTR.atimeNow |
  SETATTR.mtimeNow |
  SETATTR.ctime;

function setOwner(engine: Engine, valid: number): number {
  const isNothing = (valid & SOMETHING) === 0;
  if (!isNothing && (valid & (SETATTR.uid | SETATTR.gid)) === 0) return 0;
  const found = engine.locate(engine.node);
  if (found !== 0) return found;
  const uid = (valid & SETATTR.uid) === 0 ? NOT_SET : engine.u32(SetattrIn.at.uid);
  const gid = (valid & SETATTR.gid) === 0 ? NOT_SET : engine.u32(SetattrIn.at.gid);
  const done = libc.fchownat(engine.dirfd, engine.path, uid, gid, engine.atFlags);
  return done === -1 ? engine.failed() : 0;
}

function setSize(engine: Engine, valid: number, given: number): number {
  if ((valid & SETATTR.size) === 0) return 0;
  const flags = constants.O_WRONLY | constants.O_NONBLOCK;
  const fd = given === -1 ? engine.reopen(engine.node, flags) : given;
  if (fd < 0) return fd;
  const done = libc.ftruncate(fd, engine.big(SetattrIn.at.size));
  const error = done === -1 ? engine.failed() : 0;
  if (error === 0 && (valid & SETATTR.killSuidgid) !== 0) killPrivileges(engine, fd);
  if (fd !== given) libc.close(fd);
  return error;
}

function setTimes(engine: Engine, valid: number, given: number): number {
  const timed = SETATTR.atime | SETATTR.mtime | SETATTR.atimeNow | SETATTR.mtimeNow;
  if ((valid & timed) === 0) return 0;
  const times = engine.scratch;
  putTime(engine, 0, valid & SETATTR.atime, valid & SETATTR.atimeNow, 'atime', 'atimensec');
  putTime(engine, 16, valid & SETATTR.mtime, valid & SETATTR.mtimeNow, 'mtime', 'mtimensec');
  if (
    times.readBigInt64LE(8) === BigInt(UTIME_OMIT) &&
    times.readBigInt64LE(24) === BigInt(UTIME_OMIT)
  ) {
    return 0;
  }
  if (given !== -1) {
    return libc.futimens(given, engine.scratchAddress) === -1 ? engine.failed() : 0;
  }
  const found = engine.locate(engine.node);
  if (found !== 0) return found;
  if (engine.atFlags !== AT.emptyPath) {
    const done = libc.utimensat(
      engine.dirfd,
      engine.path,
      engine.scratchAddress,
      AT.symlinkNofollow,
    );
    return done === -1 ? engine.failed() : 0;
  }
  // utimensat takes AT_EMPTY_PATH only since Linux 5.8.
  const path = engine.procPath(engine.dirfd);
  return libc.utimensat(AT.fdcwd, path, engine.scratchAddress, 0) === -1 ? engine.failed() : 0;
}

function putTime(
  engine: Engine,
  at: number,
  isSet: number,
  isNow: number,
  seconds: 'atime' | 'mtime',
  nanoseconds: 'atimensec' | 'mtimensec',
): void {
  const times = engine.scratch;
  times.writeBigInt64LE(isSet !== 0 && isNow === 0 ? engine.big(SetattrIn.at[seconds]) : 0n, at);
  const exact = isSet === 0 ? UTIME_OMIT : engine.u32(SetattrIn.at[nanoseconds]);
  times.writeBigInt64LE(BigInt(isNow === 0 ? exact : UTIME_NOW), at + 8);
}

/** struct statfs of 64-bit Linux (asm-generic): 8-byte fields in this order. */
export const STATFS = {
  bsize: 8,
  blocks: 16,
  bfree: 24,
  bavail: 32,
  files: 40,
  ffree: 48,
  namelen: 64,
  frsize: 72,
};

export function statfs(engine: Engine): number {
  if (libc.fstatfs(engine.options.rootFd, engine.scratchAddress) === -1) return engine.failed();
  const from = engine.scratch;
  const to = engine.output;
  const at = OUT_HEADER_BYTES;
  to.fill(0, at, at + StatfsOut.size);
  for (const field of ['blocks', 'bfree', 'bavail', 'files', 'ffree'] as const) {
    to.writeBigUInt64LE(from.readBigUInt64LE(STATFS[field]), at + StatfsOut.at[field]);
  }
  for (const field of ['bsize', 'namelen', 'frsize'] as const) {
    to.writeUInt32LE(from.readUInt32LE(STATFS[field]), at + StatfsOut.at[field]);
  }
  return StatfsOut.size;
}

/** Runs a call that takes a path, on exactly this inode. */
function onInode(engine: Engine, call: (path: number) => number): number {
  const open = engine.table.openDescriptor(engine.node);
  const fd = open === -1 ? engine.handle(engine.node) : open;
  if (fd < 0) return fd;
  const done = call(engine.procPath(fd));
  const result = done === -1 ? engine.failed() : done;
  if (open === -1) libc.close(fd);
  return result;
}

export function setxattr(engine: Engine): number {
  const size = engine.u32(SetxattrIn.at.size);
  const flags = engine.u32(SetxattrIn.at.flags);
  const name = engine.name(SetxattrIn.size);
  if (name === undefined) return -ERRNO.EINVAL;
  const value = name.from + name.length + 1;
  if (value + size > engine.end) return -ERRNO.EINVAL;
  if (engine.input.toString('latin1', name.from, name.from + name.length).startsWith('security.')) {
    engine.table.setFlag(engine.node, PRIVILEGED, true);
  }
  const from = engine.inputAddress + value;
  return onInode(engine, (path) =>
    libc.setxattr(path, engine.addressOfName(name), from, size, flags),
  );
}

/** A size of 0 asks how large the answer would be. */
function sized(engine: Engine, size: number, call: (path: number, into: number) => number): number {
  const into = engine.outputAddress + OUT_HEADER_BYTES;
  const length = onInode(engine, (path) => call(path, size === 0 ? 0 : into));
  if (length < 0 || size !== 0) return length;
  engine.outputView.setUint32(OUT_HEADER_BYTES + GetxattrOut.at.size, length, true);
  engine.outputView.setUint32(OUT_HEADER_BYTES + GetxattrOut.at.padding, 0, true);
  return GetxattrOut.size;
}

export function getxattr(engine: Engine): number {
  const size = Math.min(engine.u32(GetxattrIn.at.size), 65_536);
  const name = engine.name(GetxattrIn.size);
  if (name === undefined) return -ERRNO.EINVAL;
  const address = engine.addressOfName(name);
  return sized(engine, size, (path, into) => libc.getxattr(path, address, into, size));
}

export function listxattr(engine: Engine): number {
  const size = Math.min(engine.u32(GetxattrIn.at.size), 65_536);
  return sized(engine, size, (path, into) => libc.listxattr(path, into, size));
}

export function removexattr(engine: Engine): number {
  const name = engine.name(0);
  if (name === undefined) return -ERRNO.EINVAL;
  return onInode(engine, (path) => libc.removexattr(path, engine.addressOfName(name)));
}
