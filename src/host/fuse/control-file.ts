import {
  FlushIn,
  GetattrIn,
  OpenIn,
  OpenOut,
  RenameIn,
  SetattrIn,
} from '../../core/codec/fuse/messages.ts';
import { InHeader, EntryOut, Attr } from '../../core/codec/fuse/messages.ts';
import {
  FOPEN,
  GETATTR_FH,
  OPCODES,
  OUT_HEADER_BYTES,
  SETATTR,
} from '../../core/codec/fuse/constants.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import { serve } from './dispatch.ts';
import { NO_REPLY, type Engine } from './engine.ts';
import { NAMES } from './judged.ts';
import { cString, libc } from './libc.ts';
import { WORD } from './memory.ts';
import { ROOT } from './node-row.ts';
import type { Report } from './messages.ts';

/**
 * A file in the mount's root that is not in the backing directory: writing it sets the faults
 * (Kibosh's kibosh_control). No fault ever touches it. Each open file is a copy of its own; what was
 * written is taken at close(2), which fails with EINVAL where it is no specification.
 */

const O = OPCODES;
const F_DUPFD_CLOEXEC = 1030;
const O_TRUNC = 0o1000;
const DIRTY = 1 << 30;
const MAX_BYTES = 1 << 20;

/** Where the names are of operations that would make, move or remove the file. */
const { [O.lookup]: _lookup, ...TAKES_NAME } = NAMES;

export interface ControlFileOptions {
  name: string;
  /** Holds the text in force. */
  fd: number;
}

/** Serves the request if it is about the control file. @returns undefined where it is not. */
export function serveControlFile(
  engine: Engine,
  file: ControlFileOptions,
  device: number,
  control: { postMessage(message: Report): void },
): number | undefined {
  const node = Atomics.load(engine.memory.words, WORD.controlNode);
  if (node !== 0 && engine.node === node) return onFile(engine, file, device, control);
  if (engine.opcode === O.lookup && engine.node === ROOT && isNamed(engine, file, 0, 0)) {
    return lookup(engine, file);
  }
  const at = TAKES_NAME[engine.opcode];
  if (at === undefined) return undefined;
  if (engine.node === ROOT && isNamed(engine, file, at, 0)) {
    return engine.opcode === O.create ? -ERRNO.EEXIST : -ERRNO.EPERM;
  }
  const moves = engine.opcode === O.rename || engine.opcode === O.rename2;
  const intoRoot = moves && engine.u64(RenameIn.at.newdir) === ROOT;
  return intoRoot && isNamed(engine, file, at, 1) ? -ERRNO.EPERM : undefined;
}

function isNamed(engine: Engine, file: ControlFileOptions, at: number, index: number): boolean {
  const name = engine.name(at, index);
  if (name === undefined || name.length !== file.name.length) return false;
  return engine.input.toString('latin1', name.from, name.from + name.length) === file.name;
}

function lookup(engine: Engine, file: ControlFileOptions): number {
  const looked = engine.statDescriptor(file.fd);
  if (looked !== 0) return looked;
  const nameless = { bytes: engine.input, from: 0, length: 0 };
  const printed = engine.printEntry(OUT_HEADER_BYTES, 0, nameless);
  if (printed !== 0) return printed;
  const node = engine.outputView.getUint32(OUT_HEADER_BYTES, true);
  Atomics.store(engine.memory.words, WORD.controlNode, node);
  if (engine.table.openDescriptor(node) === -1) {
    const copy = libc.fcntl(file.fd, F_DUPFD_CLOEXEC, 0);
    if (copy !== -1 && !engine.table.pin(node, copy)) libc.close(copy);
  }
  engine.outputView.setUint32(OUT_HEADER_BYTES + EntryOut.at.attrValid, 0, true);
  return EntryOut.size + Attr.size;
}

function onFile(
  engine: Engine,
  file: ControlFileOptions,
  device: number,
  control: { postMessage(message: Report): void },
): number {
  switch (engine.opcode) {
    case O.open:
      return open(engine, file);
    case O.write: {
      const result = serve(engine);
      const fd = engine.descriptor(0);
      if (result > 0) engine.table.files.setFlag(fd, DIRTY, true);
      return result;
    }
    case O.getattr:
      // Without a handle it is the text in force that is asked for, and no open copy of it.
      if ((engine.u32(GetattrIn.at.flags) & GETATTR_FH) !== 0) return serve(engine);
      return engine.statDescriptor(file.fd) || engine.replyAttr(engine.node);
    case O.setattr: {
      const valid = engine.u32(SetattrIn.at.valid);
      const ofText = (valid & SETATTR.size) !== 0 && (valid & SETATTR.fh) === 0;
      // The text in force is not cut; an open copy is.
      if (!ofText) return serve(engine);
      return engine.statDescriptor(file.fd) || engine.replyAttr(engine.node);
    }
    case O.flush:
      return flush(engine, device, control);
    case O.link:
      return -ERRNO.EPERM;
    default:
      return serve(engine);
  }
}

function open(engine: Engine, file: ControlFileOptions): number {
  const fd = libc.memfdCreate(cString('faultline-control').address, 1);
  if (fd === -1) return engine.failed();
  if ((engine.u32(OpenIn.at.flags) & O_TRUNC) === 0) {
    const size = libc.pread(file.fd, engine.outputAddress, MAX_BYTES, 0);
    if (size > 0) libc.pwrite(fd, engine.outputAddress, size, 0);
  }
  if (!engine.table.opened(engine.node, fd, 0)) {
    libc.close(fd);
    return -ERRNO.EMFILE;
  }
  engine.output.fill(0, OUT_HEADER_BYTES, OUT_HEADER_BYTES + OpenOut.size);
  engine.outputView.setUint32(OUT_HEADER_BYTES, fd, true);
  const at = OUT_HEADER_BYTES + OpenOut.at.openFlags;
  engine.outputView.setUint32(at, FOPEN.directIo, true);
  return OpenOut.size;
}

/** The control thread takes what was written, and answers the close itself. */
function flush(
  engine: Engine,
  device: number,
  control: { postMessage(message: Report): void },
): number {
  const fd = engine.descriptor(FlushIn.at.fh);
  if (fd === -1 || (engine.table.files.flags(fd) & DIRTY) === 0) return 0;
  engine.table.files.setFlag(fd, DIRTY, false);
  const size = libc.pread(fd, engine.outputAddress, MAX_BYTES + 1, 0);
  if (size < 0 || size > MAX_BYTES) return -ERRNO.EINVAL;
  const unique = engine.inputView.getBigUint64(InHeader.at.unique, true);
  const text = engine.output.toString('utf8', 0, size);
  control.postMessage({ type: 'control', text, unique, device });
  return NO_REPLY;
}
