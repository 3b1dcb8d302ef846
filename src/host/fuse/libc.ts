import koffi from 'koffi';

/**
 * The C library, called synchronously and by address: every pointer is a plain number (user space
 * addresses have 47 bits), so that a call allocates nothing. No callbacks and no asynchronous calls:
 * these run in worker threads. glibc 2.30 or newer (getdents64).
 */
const library = koffi.load('libc.so.6');

type Call = (...args: (number | bigint)[]) => number;

function bind(prototype: string): Call {
  const call = library.func(prototype) as Call;
  return call;
}

export const libc = {
  open: bind('int open(int64 path, int flags, int mode)'),
  openat: bind('int openat(int dirfd, int64 path, int flags, uint mode)'),
  close: bind('int close(int fd)'),
  read: bind('int64 read(int fd, int64 buffer, int64 size)'),
  write: bind('int64 write(int fd, int64 buffer, int64 size)'),
  pread: bind('int64 pread(int fd, int64 buffer, int64 size, int64 offset)'),
  pwrite: bind('int64 pwrite(int fd, int64 buffer, int64 size, int64 offset)'),
  statx: bind('int statx(int dirfd, int64 path, int flags, uint mask, int64 buffer)'),
  fstatvfs: bind('int fstatvfs(int fd, int64 buffer)'),
  fstatfs: bind('int fstatfs(int fd, int64 buffer)'),
  ftruncate: bind('int ftruncate(int fd, int64 size)'),
  fallocate: bind('int fallocate(int fd, int mode, int64 offset, int64 size)'),
  fsync: bind('int fsync(int fd)'),
  fdatasync: bind('int fdatasync(int fd)'),
  syncfs: bind('int syncfs(int fd)'),
  lseek: bind('int64 lseek(int fd, int64 offset, int whence)'),
  getdents64: bind('int64 getdents64(int fd, int64 buffer, int64 size)'),
  copyFileRange: bind(
    'int64 copy_file_range(int fdIn, int64 offIn, int fdOut, int64 offOut, int64 size, uint flags)',
  ),
  mkdirat: bind('int mkdirat(int dirfd, int64 path, uint mode)'),
  mknodat: bind('int mknodat(int dirfd, int64 path, uint mode, uint64 device)'),
  symlinkat: bind('int symlinkat(int64 target, int dirfd, int64 path)'),
  unlinkat: bind('int unlinkat(int dirfd, int64 path, int flags)'),
  linkat: bind('int linkat(int oldDirfd, int64 oldPath, int newDirfd, int64 newPath, int flags)'),
  renameat2: bind(
    'int renameat2(int oldDirfd, int64 oldPath, int newDirfd, int64 newPath, uint flags)',
  ),
  readlinkat: bind('int64 readlinkat(int dirfd, int64 path, int64 buffer, int64 size)'),
  fchmod: bind('int fchmod(int fd, uint mode)'),
  chmod: bind('int chmod(int64 path, uint mode)'),
  fchownat: bind('int fchownat(int dirfd, int64 path, uint uid, uint gid, int flags)'),
  utimensat: bind('int utimensat(int dirfd, int64 path, int64 times, int flags)'),
  futimens: bind('int futimens(int fd, int64 times)'),
  setxattr: bind('int setxattr(int64 path, int64 name, int64 value, int64 size, int flags)'),
  getxattr: bind('int64 getxattr(int64 path, int64 name, int64 value, int64 size)'),
  listxattr: bind('int64 listxattr(int64 path, int64 list, int64 size)'),
  removexattr: bind('int removexattr(int64 path, int64 name)'),
  /** Of the calling thread alone (setfsuid(2)); returns the one before, never an error. */
  setfsuid: bind('int setfsuid(uint uid)'),
  setfsgid: bind('int setfsgid(uint gid)'),
  ioctl: bind('int ioctl(int fd, uint64 request, int64 argument)'),
  mount: bind('int mount(int64 source, int64 target, int64 type, uint64 flags, int64 data)'),
  umount2: bind('int umount2(int64 target, int flags)'),
  memfdCreate: bind('int memfd_create(int64 name, uint flags)'),
  umask: bind('uint umask(uint mask)'),
  fcntl: bind('int fcntl(int fd, int command, int argument)'),
};

/** The error of this thread's last call that returned -1. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Where the bytes of an array are: it must outlive every use of the address. */
export function addressOf(bytes: Uint8Array): number {
  return Number(koffi.address(bytes));
}

/** A zero-terminated copy of a text; keep the buffer as long as its address is used. */
export function cString(text: string | Uint8Array): { address: number; bytes: Buffer } {
  const given = typeof text === 'string' ? Buffer.from(text) : text;
  const bytes = Buffer.alloc(Math.max(64, given.length + 1));
  bytes.set(given);
  return { address: addressOf(bytes), bytes };
}

/** Values of linux/fcntl.h and friends that node:fs does not carry; the same on x86-64 and arm64. */
export const AT = {
  fdcwd: -100,
  symlinkNofollow: 0x100,
  removedir: 0x200,
  symlinkFollow: 0x400,
  emptyPath: 0x1000,
} as const;
export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
/** __O_TMPFILE alone; O_TMPFILE is this with O_DIRECTORY, whose value differs by architecture. */
export const O_TMPFILE_BIT = 0o20000000;
export const STATX_ALL = 0xfff;
export const MNT_DETACH = 2;
