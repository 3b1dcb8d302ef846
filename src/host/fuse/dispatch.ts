import * as messages from '../../core/codec/fuse/messages.ts';
import { BatchForgetIn, ForgetIn, ForgetOne } from '../../core/codec/fuse/messages.ts';
import { OPCODES } from '../../core/codec/fuse/constants.ts';
import { NO_REPLY, type Engine } from './engine.ts';
import { libc } from './libc.ts';
import { lockShared, unlockShared } from './lock.ts';
import { WORD } from './memory.ts';
import * as attributes from './operations-attributes.ts';
import * as directories from './operations-directories.ts';
import * as files from './operations-files.ts';
import * as names from './operations-names.ts';
import { isRecorded, track } from './tracking.ts';
import { isTracked } from './undo-log.ts';

const ENOSYS = 38;
const ENOTTY = 25;
const EINVAL = 22;
const ESTALE = 116;
const O = OPCODES;

type Operation = (engine: Engine) => number;

/** By what they hold: nothing (an open descriptor is enough), the path lock shared, or alone. */
const FREE: Readonly<Record<number, Operation>> = {
  [O.read]: files.read,
  [O.write]: files.write,
  [O.fsync]: files.fsync,
  [O.release]: files.release,
  [O.releasedir]: files.release,
  [O.fallocate]: files.fallocate,
  [O.lseek]: files.lseek,
  [O.copyFileRange]: files.copyFileRange,
  [O.fsyncdir]: directories.fsyncdir,
  [O.statfs]: attributes.statfs,
  [O.flush]: () => 0,
  [O.forget]: forget,
  [O.batchForget]: batchForget,
  [O.ioctl]: () => -ENOTTY,
  [O.destroy]: () => NO_REPLY,
  // These take the lock themselves.
  [O.unlink]: names.unlink,
  [O.rmdir]: names.unlink,
  [O.rename]: names.rename,
  [O.rename2]: names.rename,
};

const SHARED: Readonly<Record<number, Operation>> = {
  [O.lookup]: names.lookup,
  [O.getattr]: attributes.getattr,
  [O.setattr]: attributes.setattr,
  [O.readlink]: names.readlink,
  [O.symlink]: names.symlink,
  [O.mknod]: names.mknod,
  [O.mkdir]: names.mkdir,
  [O.link]: names.link,
  [O.open]: files.open,
  [O.create]: files.create,
  [O.tmpfile]: files.tmpfile,
  [O.opendir]: directories.opendir,
  [O.readdir]: directories.readdir,
  [O.setxattr]: attributes.setxattr,
  [O.getxattr]: attributes.getxattr,
  [O.listxattr]: attributes.listxattr,
  [O.removexattr]: attributes.removexattr,
};

/** How long the struct is that a request's body starts with; without one, names follow at once. */
const BODY: Readonly<Record<number, { size: number }>> = {
  [O.forget]: ForgetIn,
  [O.batchForget]: BatchForgetIn,
  [O.getattr]: messages.GetattrIn,
  [O.setattr]: messages.SetattrIn,
  [O.mknod]: messages.MknodIn,
  [O.mkdir]: messages.MkdirIn,
  [O.rename]: messages.RenameIn,
  [O.rename2]: messages.Rename2In,
  [O.link]: messages.LinkIn,
  [O.open]: messages.OpenIn,
  [O.opendir]: messages.OpenIn,
  [O.create]: messages.CreateIn,
  [O.tmpfile]: messages.CreateIn,
  [O.read]: messages.ReadIn,
  [O.readdir]: messages.ReadIn,
  [O.write]: messages.WriteIn,
  [O.release]: messages.ReleaseIn,
  [O.releasedir]: messages.ReleaseIn,
  [O.fsync]: messages.FsyncIn,
  [O.fsyncdir]: messages.FsyncIn,
  [O.setxattr]: messages.SetxattrIn,
  [O.getxattr]: messages.GetxattrIn,
  [O.listxattr]: messages.GetxattrIn,
  [O.fallocate]: messages.FallocateIn,
  [O.lseek]: messages.LseekIn,
  [O.copyFileRange]: messages.CopyFileRangeIn,
};
const BODY_BYTES = Array.from({ length: 64 }, (_, opcode) => BODY[opcode]?.size ?? 0);

const FREE_TABLE = table(FREE);
const SHARED_TABLE = table(SHARED);

function table(operations: Readonly<Record<number, Operation>>): (Operation | undefined)[] {
  return Array.from({ length: 64 }, (_, opcode) => operations[opcode]);
}

/**
 * Serves the request the engine holds, as the backing directory does.
 * @returns the length of the reply's body, a negative errno, or NO_REPLY.
 */
export function serve(engine: Engine): number {
  if (!engine.table.isLive(engine.node) && engine.opcode !== O.batchForget) {
    return engine.opcode === O.forget || engine.opcode === O.destroy ? NO_REPLY : -ESTALE;
  }
  if (engine.end - engine.body < (BODY_BYTES[engine.opcode] ?? 0)) return -EINVAL;
  engine.directories.trim();
  if (isTracked(engine) && isRecorded(engine.opcode)) return track(engine, () => perform(engine));
  return perform(engine);
}

function perform(engine: Engine): number {
  const free = FREE_TABLE[engine.opcode];
  if (free !== undefined) return free(engine);
  const shared = SHARED_TABLE[engine.opcode];
  // The kernel asks once and remembers: right for what we don't do.
  if (shared === undefined) return -ENOSYS;
  const { words } = engine.memory;
  lockShared(words, WORD.pathLock);
  try {
    return shared(engine);
  } finally {
    unlockShared(words, WORD.pathLock);
  }
}

function forget(engine: Engine): number {
  dropNode(engine, engine.node, engine.u64(ForgetIn.at.nlookup));
  return NO_REPLY;
}

function dropNode(engine: Engine, node: number, count: number): void {
  const pin = engine.table.forget(node, count);
  if (pin >= 0) libc.close(pin);
  engine.closeOrphans();
}

function batchForget(engine: Engine): number {
  const room = Math.floor((engine.end - engine.body - BatchForgetIn.size) / ForgetOne.size);
  const count = Math.min(engine.u32(BatchForgetIn.at.count), room);
  for (let index = 0; index < count; index++) {
    const at = BatchForgetIn.size + index * ForgetOne.size;
    dropNode(engine, engine.u64(at), engine.u64(at + ForgetOne.at.nlookup));
  }
  return NO_REPLY;
}
