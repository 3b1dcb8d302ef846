/** Numbers of the FUSE protocol (linux/fuse.h). */

export const OPCODES = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  readlink: 5,
  symlink: 6,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rmdir: 11,
  rename: 12,
  link: 13,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  setxattr: 21,
  getxattr: 22,
  listxattr: 23,
  removexattr: 24,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  fsyncdir: 30,
  access: 34,
  create: 35,
  interrupt: 36,
  destroy: 38,
  ioctl: 39,
  batchForget: 42,
  fallocate: 43,
  rename2: 45,
  lseek: 46,
  copyFileRange: 47,
  syncfs: 50,
  tmpfile: 51,
} as const;

/** Codes of notifications, sent as the `error` of an OutHeader whose `unique` is 0. */
export const NOTIFY = { invalInode: 2, invalEntry: 3, incEpoch: 8 } as const;

export const SETATTR = {
  mode: 1 << 0,
  uid: 1 << 1,
  gid: 1 << 2,
  size: 1 << 3,
  atime: 1 << 4,
  mtime: 1 << 5,
  fh: 1 << 6,
  atimeNow: 1 << 7,
  mtimeNow: 1 << 8,
  ctime: 1 << 10,
  killSuidgid: 1 << 11,
} as const;

/** `noflush` came with Linux 5.16; older kernels pass over it. */
export const FOPEN = {
  directIo: 1 << 0,
  keepCache: 1 << 1,
  cacheDir: 1 << 3,
  noflush: 1 << 5,
} as const;

/** The write comes from the page cache (mmap): its caller is unknown and its fh a guess. */
export const WRITE_CACHE = 1 << 0;
export const WRITE_KILL_SUIDGID = 1 << 2;
export const OPEN_KILL_SUIDGID = 1 << 0;
export const FSYNC_DATA_ONLY = 1 << 0;
export const GETATTR_FH = 1 << 0;

export const IN_HEADER_BYTES = 40;
export const OUT_HEADER_BYTES = 16;

/** FUSE_DEV_IOC_CLONE: _IOR(229, 0, uint32_t), the same on x86-64 and arm64. */
export const IOC_CLONE = 0x8004e500;
