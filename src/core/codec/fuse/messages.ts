import { struct } from './struct.ts';

/** Every struct of the FUSE protocol we speak; sizes and order from linux/fuse.h (7.31 to 7.45). */

/** Before every request. `totalExtlen` counts 8-byte units of extensions at the end (7.38). */
export const InHeader = struct({
  len: 'u32',
  opcode: 'u32',
  unique: 'u64',
  nodeid: 'u64',
  uid: 'u32',
  gid: 'u32',
  pid: 'u32',
  totalExtlen: 'u16',
  padding: 'u16',
});

/** Before every reply (error 0 or a negative errno) and every notification (unique 0, error = code). */
export const OutHeader = struct({ len: 'u32', error: 'i32', unique: 'u64' });

export const Attr = struct({
  ino: 'u64',
  size: 'u64',
  blocks: 'u64',
  atime: 'u64',
  mtime: 'u64',
  ctime: 'u64',
  atimensec: 'u32',
  mtimensec: 'u32',
  ctimensec: 'u32',
  mode: 'u32',
  nlink: 'u32',
  uid: 'u32',
  gid: 'u32',
  rdev: 'u32',
  blksize: 'u32',
  flags: 'u32',
});

/** Followed by Attr. */
export const EntryOut = struct({
  nodeid: 'u64',
  generation: 'u64',
  entryValid: 'u64',
  attrValid: 'u64',
  entryValidNsec: 'u32',
  attrValidNsec: 'u32',
});

/** Followed by Attr. */
export const AttrOut = struct({ attrValid: 'u64', attrValidNsec: 'u32', dummy: 'u32' });

export const InitIn = struct({
  major: 'u32',
  minor: 'u32',
  maxReadahead: 'u32',
  flags: 'u32',
});

/** What INIT_EXT adds (7.36). */
export const InitInExt = struct({ flags2: 'u32' });

export const InitOut = struct({
  major: 'u32',
  minor: 'u32',
  maxReadahead: 'u32',
  flags: 'u32',
  maxBackground: 'u16',
  congestionThreshold: 'u16',
  maxWrite: 'u32',
  timeGran: 'u32',
  maxPages: 'u16',
  mapAlignment: 'u16',
  flags2: 'u32',
  maxStackDepth: 'u32',
  requestTimeout: 'u16',
  unused0: 'u16',
  unused1: 'u64',
  unused2: 'u64',
  unused3: 'u32',
});

export const ForgetIn = struct({ nlookup: 'u64' });
export const ForgetOne = struct({ nodeid: 'u64', nlookup: 'u64' });
export const BatchForgetIn = struct({ count: 'u32', dummy: 'u32' });
export const GetattrIn = struct({ flags: 'u32', dummy: 'u32', fh: 'u64' });
export const SetattrIn = struct({
  valid: 'u32',
  padding: 'u32',
  fh: 'u64',
  size: 'u64',
  lockOwner: 'u64',
  atime: 'i64',
  mtime: 'i64',
  ctime: 'i64',
  atimensec: 'u32',
  mtimensec: 'u32',
  ctimensec: 'u32',
  mode: 'u32',
  unused4: 'u32',
  uid: 'u32',
  gid: 'u32',
  unused5: 'u32',
});
export const MknodIn = struct({ mode: 'u32', rdev: 'u32', umask: 'u32', padding: 'u32' });
export const MkdirIn = struct({ mode: 'u32', umask: 'u32' });
export const RenameIn = struct({ newdir: 'u64' });
export const Rename2In = struct({ newdir: 'u64', flags: 'u32', padding: 'u32' });
export const LinkIn = struct({ oldnodeid: 'u64' });
export const OpenIn = struct({ flags: 'u32', openFlags: 'u32' });
export const CreateIn = struct({ flags: 'u32', mode: 'u32', umask: 'u32', openFlags: 'u32' });
export const OpenOut = struct({ fh: 'u64', openFlags: 'u32', backingId: 'u32' });
export const ReleaseIn = struct({
  fh: 'u64',
  flags: 'u32',
  releaseFlags: 'u32',
  lockOwner: 'u64',
});
export const FlushIn = struct({ fh: 'u64', unused: 'u32', padding: 'u32', lockOwner: 'u64' });
export const ReadIn = struct({
  fh: 'u64',
  offset: 'u64',
  size: 'u32',
  readFlags: 'u32',
  lockOwner: 'u64',
  flags: 'u32',
  padding: 'u32',
});
/** Followed by the data. */
export const WriteIn = struct({
  fh: 'u64',
  offset: 'u64',
  size: 'u32',
  writeFlags: 'u32',
  lockOwner: 'u64',
  flags: 'u32',
  padding: 'u32',
});
export const WriteOut = struct({ size: 'u32', padding: 'u32' });
export const StatfsOut = struct({
  blocks: 'u64',
  bfree: 'u64',
  bavail: 'u64',
  files: 'u64',
  ffree: 'u64',
  bsize: 'u32',
  namelen: 'u32',
  frsize: 'u32',
  padding: 'u32',
  spare0: 'u64',
  spare1: 'u64',
  spare2: 'u64',
});
export const FsyncIn = struct({ fh: 'u64', fsyncFlags: 'u32', padding: 'u32' });
/** The 8-byte form; SETXATTR_EXT is not asked for. Followed by name, 0, value. */
export const SetxattrIn = struct({ size: 'u32', flags: 'u32' });
export const GetxattrIn = struct({ size: 'u32', padding: 'u32' });
export const GetxattrOut = struct({ size: 'u32', padding: 'u32' });
export const AccessIn = struct({ mask: 'u32', padding: 'u32' });
export const InterruptIn = struct({ unique: 'u64' });
export const FallocateIn = struct({
  fh: 'u64',
  offset: 'u64',
  length: 'u64',
  mode: 'u32',
  padding: 'u32',
});
export const LseekIn = struct({ fh: 'u64', offset: 'u64', whence: 'u32', padding: 'u32' });
export const LseekOut = struct({ offset: 'u64' });
export const CopyFileRangeIn = struct({
  fhIn: 'u64',
  offIn: 'u64',
  nodeidOut: 'u64',
  fhOut: 'u64',
  offOut: 'u64',
  len: 'u64',
  flags: 'u64',
});
export const IoctlIn = struct({
  fh: 'u64',
  flags: 'u32',
  cmd: 'u32',
  arg: 'u64',
  inSize: 'u32',
  outSize: 'u32',
});
/** Followed by the name, padded with zeros to 8 bytes. */
export const Dirent = struct({ ino: 'u64', off: 'u64', namelen: 'u32', type: 'u32' });

export const NotifyInvalInode = struct({ ino: 'u64', off: 'i64', len: 'i64' });
/** Followed by the name and a zero. */
export const NotifyInvalEntry = struct({ parent: 'u64', namelen: 'u32', flags: 'u32' });
