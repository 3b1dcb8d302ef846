import { Attr, AttrOut, EntryOut, InHeader } from '../../core/codec/fuse/messages.ts';
import { IN_HEADER_BYTES, OUT_HEADER_BYTES } from '../../core/codec/fuse/constants.ts';
import { MAX_WRITE } from '../../core/codec/fuse/init.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import type { ControlFileOptions } from './control-file.ts';
import { Directories } from './directories.ts';
import { addressOf, AT, lastErrno, libc, O_CLOEXEC, O_PATH, STATX_ALL } from './libc.ts';
import { WORD, type Memory } from './memory.ts';
import { NODE, NodeTable, PRIVILEGED, type Name } from './node-table.ts';
import { constants } from 'node:fs';

/** A request that gets no reply (FORGET), or gets it from somebody else (held ones). */
export const NO_REPLY = -100_000;

export interface EngineOptions {
  rootFd: number;
  /** How long the kernel may keep names and attributes. */
  timeoutSeconds: number;
  /** Whether the kernel keeps a file's pages from one open to the next. */
  keepCache: boolean;
  /** A memory file for what is not fsynced (tracking.ts). */
  logFd: number;
  /** A file that sets the faults; none without it. */
  controlFile?: ControlFileOptions;
  /** Most directories a thread keeps open. */
  directories: number;
}

/** Byte offsets in struct statx (linux/stat.h): the same on every architecture. */
const STATX = {
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

const SUID_SGID = 0o6000;

/**
 * One thread's workbench: the request being served, the reply being written, and the ways from a
 * node to the backing directory. Operations (operations-*.ts) are functions over it that return
 * the length of the reply's body, or a negative errno.
 */
export class Engine {
  readonly memory: Memory;
  readonly table: NodeTable;
  readonly directories: Directories;
  readonly options: EngineOptions;
  readonly input: Buffer;
  readonly inputView: DataView;
  readonly inputAddress: number;
  readonly output: Buffer;
  readonly outputView: DataView;
  readonly outputAddress: number;
  readonly scratch: Buffer;
  readonly scratchAddress: number;
  readonly #statx: Buffer;
  readonly #statxWords: Uint32Array;
  readonly #statxAddress: number;
  readonly #empty: Buffer;
  readonly emptyAddress: number;
  readonly #procPath: Buffer;
  readonly #procAddress: number;

  /** Of the request: its length, header and where its body starts and ends. */
  length = 0;
  opcode = 0;
  node = 0;
  uid = 0;
  gid = 0;
  pid = 0;
  readonly body = IN_HEADER_BYTES;
  end = 0;

  /** What `locate` found: arguments for the *at() calls. */
  dirfd = -1;
  path = 0;
  atFlags = 0;

  constructor(memory: Memory, options: EngineOptions) {
    this.memory = memory;
    this.options = options;
    this.table = new NodeTable(memory);
    this.directories = new Directories(this.table, options.rootFd, options.directories);
    this.input = Buffer.alloc(MAX_WRITE + 65_536);
    this.inputView = new DataView(this.input.buffer, this.input.byteOffset, this.input.length);
    this.inputAddress = addressOf(this.input);
    this.output = Buffer.alloc(MAX_WRITE + 65_536);
    this.outputView = new DataView(this.output.buffer, this.output.byteOffset, this.output.length);
    this.outputAddress = addressOf(this.output);
    this.scratch = Buffer.alloc(65_536);
    this.scratchAddress = addressOf(this.scratch);
    this.#statx = Buffer.alloc(4096);
    this.#statxWords = new Uint32Array(this.#statx.buffer, this.#statx.byteOffset, 1024);
    this.#statxAddress = addressOf(this.#statx);
    this.#empty = Buffer.alloc(4096);
    this.emptyAddress = addressOf(this.#empty);
    this.#procPath = Buffer.alloc(4096);
    this.#procAddress = addressOf(this.#procPath);
  }

  u32(offset: number): number {
    return this.inputView.getUint32(this.body + offset, true);
  }

  /** A 64-bit field as a number; above 2^53 it loses its low bits, which no real offset has. */
  u64(offset: number): number {
    const at = this.body + offset;
    return this.inputView.getUint32(at, true) + this.inputView.getUint32(at + 4, true) * 2 ** 32;
  }

  big(offset: number): bigint {
    return this.inputView.getBigInt64(this.body + offset, true);
  }

  /** Takes up the request in `input`. @returns false where it is too short or lies. */
  load(length: number): boolean {
    if (length < InHeader.size || this.inputView.getUint32(0, true) !== length) return false;
    this.length = length;
    this.opcode = this.inputView.getUint32(InHeader.at.opcode, true);
    const low = this.inputView.getUint32(InHeader.at.nodeid, true);
    this.node = this.inputView.getUint32(InHeader.at.nodeid + 4, true) === 0 ? low : 0;
    this.uid = this.inputView.getUint32(InHeader.at.uid, true);
    this.gid = this.inputView.getUint32(InHeader.at.gid, true);
    this.pid = this.inputView.getUint32(InHeader.at.pid, true);
    const extensions = this.inputView.getUint16(InHeader.at.totalExtlen, true) * 8;
    this.end = length - extensions;
    return this.end >= this.body;
  }

  /** The error of the last call, as an operation returns it. */
  failed(): number {
    return -(lastErrno() || ERRNO.EIO);
  }

  /** The `index`-th zero-terminated name after `offset` bytes of body, or undefined. */
  name(offset: number, index = 0): Name | undefined {
    let from = this.body + offset;
    for (let skipped = 0; ; skipped++) {
      const end = this.input.indexOf(0, from);
      if (end === -1 || end >= this.end || end === from) return undefined;
      if (skipped === index) return { bytes: this.input, from, length: end - from };
      from = end + 1;
    }
  }

  /** The same for the name of a directory's entry: one step, down. */
  entryName(offset: number, index = 0): Name | undefined {
    const name = this.name(offset, index);
    if (name === undefined) return undefined;
    const { from, length } = name;
    const slash = this.input.indexOf(0x2f, from);
    if (slash !== -1 && slash < from + length) return undefined;
    const dots = this.input[from] === 0x2e && (length === 1 || this.input[from + 1] === 0x2e);
    return dots && length <= 2 ? undefined : name;
  }

  addressOfName(name: Name): number {
    return this.inputAddress + name.from;
  }

  /** A descriptor of the directory that is a node; -1 with errno. */
  directory(node: number): number {
    return this.directories.descriptor(node);
  }

  /** Finds a node in the backing directory: sets dirfd, path and atFlags. 0 or a negative errno. */
  locate(node: number): number {
    if (!this.table.isLive(node)) return -ERRNO.ESTALE;
    const parent = this.table.parentOf(node);
    if (parent !== 0) {
      this.dirfd = this.directories.descriptor(parent);
      if (this.dirfd === -1) return this.failed();
      this.path = this.table.nameAddress(node);
      this.atFlags = AT.symlinkNofollow;
      return 0;
    }
    this.dirfd = node === 1 ? this.options.rootFd : this.table.openDescriptor(node);
    this.path = this.emptyAddress;
    this.atFlags = AT.emptyPath;
    return this.dirfd === -1 ? -ERRNO.ESTALE : 0;
  }

  /** Opens a node anew (O_PATH and others). The descriptor, or a negative errno. */
  reopen(node: number, flags: number): number {
    const found = this.locate(node);
    if (found !== 0) return found;
    const nameless = this.atFlags === AT.emptyPath;
    const fd = nameless
      ? libc.openat(AT.fdcwd, this.procPath(this.dirfd), flags | O_CLOEXEC, 0)
      : libc.openat(this.dirfd, this.path, flags | constants.O_NOFOLLOW | O_CLOEXEC, 0);
    return fd === -1 ? this.failed() : fd;
  }

  /** A descriptor that stands for the node (O_PATH); close it. */
  handle(node: number): number {
    return this.reopen(node, O_PATH);
  }

  /** Address of '/proc/self/fd/N': leads to the very inode, for calls that take only paths. */
  procPath(fd: number): number {
    this.#procPath[this.#procPath.write(`/proc/self/fd/${fd}`)] = 0;
    return this.#procAddress;
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

  /** The node of the inode just looked at, or 0. */
  known(): number {
    return this.table.find(this.device, this.inoLow, this.inoHigh);
  }

  /** Writes the inode just looked at as fuse_attr at `at` of the output. */
  printAttr(at: number, node: number): void {
    const words = this.#statxWords;
    const out = this.outputView;
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
    if ((mode & SUID_SGID) !== 0 && node !== 0) this.table.setFlag(node, PRIVILEGED, true);
  }

  /** Whether a fault in force wants to see every look at a node; set by who knows the faults. */
  isWatched: (node: number) => boolean = () => true;

  /** The same for names in a directory that lead nowhere. */
  areNamesWatched: (directory: number) => boolean = () => true;

  /** Whether a fault in force wants to hear when a descriptor of a node is closed. */
  wantsFlush: (node: number) => boolean = () => true;

  /** Seconds the kernel may keep what it is told now of a node. */
  validSeconds(node: number): number {
    const faulted = this.memory.words[WORD.metadataFaults] !== 0;
    return faulted && this.isWatched(node) ? 0 : this.options.timeoutSeconds;
  }

  /** Seconds it may keep that a name is not there. */
  absentSeconds(directory: number): number {
    const faulted = this.memory.words[WORD.metadataFaults] !== 0;
    return faulted && this.areNamesWatched(directory) ? 0 : this.options.timeoutSeconds;
  }

  /**
   * Writes fuse_entry_out with attributes of the inode just looked at, and counts the look-up.
   * @param at offset in the output. @returns 0 or a negative errno.
   */
  printEntry(at: number, parent: number, name: Name): number {
    const { device, inoLow, inoHigh } = this;
    const type = this.mode & 0o170000;
    const node = this.table.enter(device, inoLow, inoHigh, type, parent, name);
    if (node === 0) return -ERRNO.ENOMEM;
    const out = this.outputView;
    const valid = this.validSeconds(node);
    out.setUint32(at, node, true);
    out.setUint32(at + 4, 0, true);
    out.setUint32(at + EntryOut.at.generation, this.table.get(node, NODE.generation), true);
    out.setUint32(at + EntryOut.at.generation + 4, 0, true);
    out.setUint32(at + EntryOut.at.entryValid, valid, true);
    out.setUint32(at + EntryOut.at.entryValid + 4, 0, true);
    out.setUint32(at + EntryOut.at.attrValid, valid, true);
    out.setUint32(at + EntryOut.at.attrValid + 4, 0, true);
    out.setUint32(at + EntryOut.at.entryValidNsec, 0, true);
    out.setUint32(at + EntryOut.at.attrValidNsec, 0, true);
    this.printAttr(at + EntryOut.size, node);
    return 0;
  }

  /** A reply that is an entry: looks at `name` in `parent`. */
  replyEntry(parent: number, parentFd: number, name: Name): number {
    const looked = this.stat(parentFd, this.addressOfName(name), AT.symlinkNofollow);
    if (looked !== 0) return looked;
    const printed = this.printEntry(OUT_HEADER_BYTES, parent, name);
    return printed === 0 ? EntryOut.size + Attr.size : printed;
  }

  /** A reply that is attributes of the inode just looked at. */
  replyAttr(node: number): number {
    const at = OUT_HEADER_BYTES;
    this.outputView.setUint32(at + AttrOut.at.attrValid, this.validSeconds(node), true);
    this.outputView.setUint32(at + AttrOut.at.attrValid + 4, 0, true);
    this.outputView.setUint32(at + AttrOut.at.attrValidNsec, 0, true);
    this.outputView.setUint32(at + AttrOut.at.dummy, 0, true);
    this.printAttr(at + AttrOut.size, node);
    return AttrOut.size + Attr.size;
  }

  /** The descriptor a request names, checked to be one of this node; -1 otherwise. */
  descriptor(offset: number, node = this.node): number {
    const fd = this.u64(offset);
    return fd <= 0x7fffffff && this.table.isOpen(node, fd) ? fd : -1;
  }

  /** This thread creates as the caller does: ownership, set-group-id directories and quotas follow. */
  becomeCaller(): void {
    if (this.gid !== 0) libc.setfsgid(this.gid);
    if (this.uid !== 0) libc.setfsuid(this.uid);
  }

  becomeRoot(): void {
    if (this.uid !== 0) libc.setfsuid(0);
    if (this.gid !== 0) libc.setfsgid(0);
  }

  close(fd: number): void {
    if (fd >= 0) libc.close(fd);
  }

  /** Closes directories that went with their last child. */
  closeOrphans(): void {
    for (let fd = this.table.orphans.pop(); fd !== undefined; fd = this.table.orphans.pop()) {
      libc.close(fd);
    }
  }
}
