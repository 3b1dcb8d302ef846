/**
 * Error numbers a disk fault may give, as Linux numbers them on x86-64 and arm64 (asm-generic).
 * ENOSYS is missing on purpose: the kernel remembers it and never asks again, for the life of the
 * mount. So are EINTR and the restart codes: the kernel acts on them itself.
 */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ENAMETOOLONG: 36,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EREMOTEIO: 121,
  EUCLEAN: 117,
  ESTALE: 116,
  ETIMEDOUT: 110,
  EOPNOTSUPP: 95,
  EDQUOT: 122,
} as const;

export type Errno = keyof typeof ERRNO;

export const ERRNO_NAMES = Object.keys(ERRNO) as Errno[];
