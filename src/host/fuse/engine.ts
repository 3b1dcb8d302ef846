import { Attr, AttrOut, EntryOut, InHeader } from '../../core/codec/fuse/messages.ts';
import { IN_HEADER_BYTES, OUT_HEADER_BYTES } from '../../core/codec/fuse/constants.ts';
import { MAX_WRITE } from '../../core/codec/fuse/init.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import type { ControlFileOptions } from './control-file.ts';
import { Directories } from './directories.ts';
import { Inode } from './inode.ts';
import { addressOf, AT, libc, O_CLOEXEC, O_PATH } from './libc.ts';
import { WORD, type Memory } from './memory.ts';
import type { Name } from './name-table.ts';
import { NODE, PRIVILEGED } from './node-row.ts';
import { NodeTable } from './node-table.ts';
import { constants } from 'node:fs';

/** A request that gets no reply (FORGET), or gets it from somebody else (held ones). */
export const NO_REPLY = -100_000;

export interface EngineOptions {
  rootFd: number;
  /** How long the kernel may keep names and attributes. */
  timeoutSeconds: number;
  /** Nobody else changes the backing directory: what the kernel and we know of it stays true. */
  isExclusive: boolean;
  /** A memory file for what is not fsynced (tracking.ts). */
  logFd: number;
  /** A file that sets the faults; none without it. */
  controlFile?: ControlFileOptions;
  /** Most directories a thread keeps open. */
  directories: number;
}

const SUID_SGID = 0o6000;
const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * One thread's workbench: the request being served, the reply being written, and the ways from a
 * node to the backing directory. Operations (operations-*.ts) are functions over it that return
 * the length of the reply's body, or a negative errno.
 */
export class Engine extends Inode {
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
  readonly #procPath: Buffer;
  readonly #procAddress: number;

  /** Of the request: its number here, length, header and where its body starts and ends. */
  serial = 0;
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
    super();
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
    this.serial++;
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

  /** The `index`-th zero-terminated name after `offset` bytes of body, or undefined. */
  name(offset: number, index = 0): Name | undefined {
    const { input, end } = this;
    let from = this.body + offset;
    for (let skipped = 0; ; skipped++) {
      let at = from;
      while (at < end && input[at] !== 0) at++;
      if (at >= end || at === from) return undefined;
      if (skipped === index) return { bytes: input, from, length: at - from };
      from = at + 1;
    }
  }

  /** The same for the name of a directory's entry: one step, down. */
  entryName(offset: number, index = 0): Name | undefined {
    const name = this.name(offset, index);
    if (name === undefined) return undefined;
    const { input } = this;
    const { from, length } = name;
    for (let at = from; at < from + length; at++) if (input[at] === SLASH) return undefined;
    const dots = input[from] === DOT && (length === 1 || input[from + 1] === DOT);
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

  /** The node of the inode just looked at, or 0. */
  known(): number {
    return this.table.find(this.device, this.inoLow, this.inoHigh);
  }

  /** Writes the inode just looked at as fuse_attr at `at` of the output. */
  printAttr(at: number, node: number): void {
    this.printLooked(this.outputView, at);
    if ((this.mode & SUID_SGID) !== 0 && node !== 0) this.table.setFlag(node, PRIVILEGED, true);
  }

  /** Whether a fault in force wants to see every look at a node; set by who knows the faults. */
  isWatched: (node: number) => boolean = () => true;

  /** The same for a name in a directory that leads nowhere. */
  isNameWatched: (directory: number, name: Name) => boolean = () => true;

  /** Whether a fault in force wants to hear when a descriptor of a node is closed. */
  wantsFlush: (node: number) => boolean = () => true;

  /** Seconds the kernel may keep what it is told now of a node. */
  validSeconds(node: number): number {
    const faulted = this.memory.words[WORD.metadataFaults] !== 0;
    return faulted && this.isWatched(node) ? 0 : this.options.timeoutSeconds;
  }

  /** Seconds it may keep that a name is not there. */
  absentSeconds(directory: number, name: Name): number {
    const faulted = this.memory.words[WORD.metadataFaults] !== 0;
    return faulted && this.isNameWatched(directory, name) ? 0 : this.options.timeoutSeconds;
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
    return fd <= 0x7fffffff && this.table.files.is(node, fd) ? fd : -1;
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
