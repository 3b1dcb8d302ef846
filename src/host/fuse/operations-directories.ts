import { constants } from 'node:fs';
import { Dirent, FsyncIn, OpenOut, ReadIn } from '../../core/codec/fuse/messages.ts';
import { FSYNC_DATA_ONLY, OUT_HEADER_BYTES } from '../../core/codec/fuse/constants.ts';
import { MAX_WRITE } from '../../core/codec/fuse/init.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import { libc } from './libc.ts';
import type { Engine } from './engine.ts';

/** struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name. */
const FROM = { ino: 0, off: 8, reclen: 16, type: 18, name: 19 } as const;
const SEEK_SET = 0;

export function opendir(engine: Engine): number {
  const fd = engine.reopen(engine.node, constants.O_RDONLY | constants.O_DIRECTORY);
  if (fd < 0) return fd;
  if (!engine.table.opened(engine.node, fd, 0)) {
    libc.close(fd);
    return -ERRNO.EMFILE;
  }
  engine.output.fill(0, OUT_HEADER_BYTES, OUT_HEADER_BYTES + OpenOut.size);
  engine.outputView.setUint32(OUT_HEADER_BYTES + OpenOut.at.fh, fd, true);
  return OpenOut.size;
}

export function fsyncdir(engine: Engine): number {
  const fd = engine.descriptor(FsyncIn.at.fh);
  if (fd === -1) return -ERRNO.EBADF;
  const dataOnly = (engine.u32(FsyncIn.at.fsyncFlags) & FSYNC_DATA_ONLY) !== 0;
  return (dataOnly ? libc.fdatasync(fd) : libc.fsync(fd)) === -1 ? engine.failed() : 0;
}

/** Entries from a cookie (the backing directory's own) on, as many as fit. */
export function readdir(engine: Engine): number {
  const fd = engine.descriptor(ReadIn.at.fh);
  if (fd === -1) return -ERRNO.EBADF;
  if (libc.lseek(fd, engine.big(ReadIn.at.offset), SEEK_SET) === -1) return engine.failed();
  const room = Math.min(engine.u32(ReadIn.at.size), MAX_WRITE);
  let used = 0;
  for (;;) {
    // What is read here and doesn't fit is read again next time: keep it small.
    const share = Math.min(engine.scratch.length, Math.max(512, room - used));
    const got = libc.getdents64(fd, engine.scratchAddress, share);
    if (got === -1) return used > 0 ? used : engine.failed();
    if (got === 0) return used;
    for (let at = 0; at < got;) {
      const entered = append(engine, at, used, room);
      if (entered === 0) return used;
      used += entered;
      at += engine.scratch.readUInt16LE(at + FROM.reclen);
    }
  }
}

/** Appends one entry. @returns the bytes it took, 0 where it doesn't fit. */
function append(engine: Engine, at: number, used: number, room: number): number {
  const { scratch, output } = engine;
  const length = scratch.indexOf(0, at + FROM.name) - at - FROM.name;
  const size = (Dirent.size + length + 7) & ~7;
  if (used + size > room) return 0;
  const to = OUT_HEADER_BYTES + used;
  output.fill(0, to, to + size);
  scratch.copy(output, to + Dirent.at.ino, at + FROM.ino, at + FROM.ino + 16);
  engine.outputView.setUint32(to + Dirent.at.namelen, length, true);
  engine.outputView.setUint32(to + Dirent.at.type, scratch[at + FROM.type] as number, true);
  scratch.copy(output, to + Dirent.size, at + FROM.name, at + FROM.name + length);
  return size;
}
