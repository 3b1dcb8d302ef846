import { Attr } from '../../core/codec/fuse/messages.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import { addressOf, AT, lastErrno, libc, STATX_ALL } from './libc.ts';

/** Byte offsets in struct statx (linux/stat.h): the same on every architecture. */
export const STATX = {
  blksize: 4,
  nlink: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  ino: 32,
  size: 40,
  blocks: 48,
  atime: 64,
  ctime: 96,
  mtime: 112,
  rdevMajor: 128,
  rdevMinor: 132,
  devMajor: 136,
  devMinor: 140,
} as const;

/** One look at an inode: what statx(2) said of it last. */
export class Inode {
  readonly #statx: Buffer;
  readonly #statxWords: Uint32Array;
  readonly #statxAddress: number;
  readonly #empty: Buffer;
  /** Of an empty path: stands for a descriptor itself, with AT_EMPTY_PATH. */
  readonly emptyAddress: number;

  constructor() {
    this.#statx = Buffer.alloc(4096);
    this.#statxWords = new Uint32Array(this.#statx.buffer, this.#statx.byteOffset, 1024);
    this.#statxAddress = addressOf(this.#statx);
    this.#empty = Buffer.alloc(4096);
    this.emptyAddress = addressOf(this.#empty);
  }

  /** The error of the last call, as an operation returns it. */
  failed(): number {
    return -(lastErrno() || ERRNO.EIO);
  }

  /** Looks at an inode; the answer stays until the next look. 0 or a negative errno. */
  stat(dirfd: number, path: number, flags: number): number {
    return libc.statx(dirfd, path, flags, STATX_ALL, this.#statxAddress) === -1 ? this.failed() : 0;
  }

  statDescriptor(fd: number): number {
    return this.stat(fd, this.emptyAddress, AT.emptyPath);
  }

  /** Of the last look. */
  get mode(): number {
    return (this.#statxWords[STATX.mode / 4] as number) & 0xffff;
  }

  get size(): number {
    const words = this.#statxWords;
    return (words[STATX.size / 4] as number) + (words[STATX.size / 4 + 1] as number) * 2 ** 32;
  }

  get links(): number {
    return this.#statxWords[STATX.nlink / 4] as number;
  }

  get ownerUid(): number {
    return this.#statxWords[STATX.uid / 4] as number;
  }

  get ownerGid(): number {
    return this.#statxWords[STATX.gid / 4] as number;
  }

  /** The number of a device file, as mknod(2) takes it. */
  get specialDevice(): bigint {
    const major = BigInt(this.#statxWords[STATX.rdevMajor / 4] as number);
    const minor = BigInt(this.#statxWords[STATX.rdevMinor / 4] as number);
    return (minor & 0xffn) | (major << 8n) | ((minor >> 8n) << 20n);
  }

  /** Access and modification time, as futimens(2) takes them. */
  times(): Buffer {
    const times = Buffer.alloc(32);
    for (const [index, from] of [STATX.atime, STATX.mtime].entries()) {
      this.#statx.copy(times, index * 16, from, from + 8);
      times.writeBigInt64LE(BigInt(this.#statx.readUInt32LE(from + 8)), index * 16 + 8);
    }
    return times;
  }

  get inoLow(): number {
    return (this.#statxWords[STATX.ino / 4] as number) | 0;
  }

  get inoHigh(): number {
    return (this.#statxWords[STATX.ino / 4 + 1] as number) | 0;
  }

  get device(): number {
    const words = this.#statxWords;
    const major = words[STATX.devMajor / 4] as number;
    return ((major << 20) ^ (words[STATX.devMinor / 4] as number)) | 0;
  }

  /** Writes the inode just looked at as fuse_attr. */
  protected printLooked(out: DataView, at: number): void {
    const words = this.#statxWords;
    const copy = (field: number, from: number): void => {
      out.setUint32(at + field, words[from / 4] as number, true);
    };
    const copy64 = (field: number, from: number): void => {
      copy(field, from);
      copy(field + 4, from + 4);
    };
    copy64(Attr.at.ino, STATX.ino);
    copy64(Attr.at.size, STATX.size);
    copy64(Attr.at.blocks, STATX.blocks);
    copy64(Attr.at.atime, STATX.atime);
    copy64(Attr.at.mtime, STATX.mtime);
    copy64(Attr.at.ctime, STATX.ctime);
    copy(Attr.at.atimensec, STATX.atime + 8);
    copy(Attr.at.mtimensec, STATX.mtime + 8);
    copy(Attr.at.ctimensec, STATX.ctime + 8);
    const { mode } = this;
    out.setUint32(at + Attr.at.mode, mode, true);
    copy(Attr.at.nlink, STATX.nlink);
    copy(Attr.at.uid, STATX.uid);
    copy(Attr.at.gid, STATX.gid);
    const major = words[STATX.rdevMajor / 4] as number;
    const minor = words[STATX.rdevMinor / 4] as number;
    // The kernel's new_encode_dev: 12 bits of major between the low and the high bits of minor.
    out.setUint32(
      at + Attr.at.rdev,
      ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0,
      true,
    );
    copy(Attr.at.blksize, STATX.blksize);
    out.setUint32(at + Attr.at.flags, 0, true);
  }
}
