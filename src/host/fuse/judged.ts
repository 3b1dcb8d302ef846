import { OPCODES, SETATTR } from '../../core/codec/fuse/constants.ts';
import {
  CopyFileRangeIn,
  CreateIn,
  FallocateIn,
  GetxattrIn,
  LinkIn,
  MkdirIn,
  MknodIn,
  OpenIn,
  ReadIn,
  Rename2In,
  RenameIn,
  SetattrIn,
  WriteIn,
} from '../../core/codec/fuse/messages.ts';
import { operationBit, operationSet, type Operation } from '../../core/disk/operation.ts';
import type { Request } from '../../core/disk/rule.ts';
import type { Engine } from './engine.ts';

/** What rules see of the request an engine holds. */

const O = OPCODES;

const BITS: Readonly<Record<number, Operation[]>> = {
  [O.lookup]: ['lookup'],
  [O.getattr]: ['getattr'],
  [O.setattr]: ['setattr'],
  [O.readlink]: ['readlink'],
  [O.symlink]: ['symlink'],
  [O.mknod]: ['mknod'],
  [O.mkdir]: ['mkdir'],
  [O.unlink]: ['unlink'],
  [O.rmdir]: ['rmdir'],
  [O.rename]: ['rename'],
  [O.rename2]: ['rename'],
  [O.link]: ['link'],
  [O.open]: ['open'],
  [O.create]: ['create', 'open'],
  [O.tmpfile]: ['create', 'open'],
  [O.read]: ['read'],
  [O.write]: ['write'],
  [O.flush]: ['flush'],
  [O.fsync]: ['fsync'],
  [O.opendir]: ['opendir'],
  [O.readdir]: ['readdir'],
  [O.fsyncdir]: ['fsyncdir'],
  [O.statfs]: ['statfs'],
  [O.setxattr]: ['setxattr'],
  [O.getxattr]: ['getxattr'],
  [O.listxattr]: ['listxattr'],
  [O.removexattr]: ['removexattr'],
  [O.fallocate]: ['fallocate'],
  [O.lseek]: ['lseek'],
  [O.copyFileRange]: ['copy'],
};
const OPERATION_OF = Array.from({ length: 64 }, (_, opcode) => operationSet(BITS[opcode] ?? []));
const TRUNCATE = operationBit('truncate');

/** Where the names of an operation on names are in its body; 1 or 2 of them. */
export const NAMES: Readonly<Record<number, number>> = {
  [O.lookup]: 0,
  [O.unlink]: 0,
  [O.rmdir]: 0,
  [O.symlink]: 0,
  [O.mknod]: MknodIn.size,
  [O.mkdir]: MkdirIn.size,
  [O.link]: LinkIn.size,
  [O.create]: CreateIn.size,
  [O.rename]: RenameIn.size,
  [O.rename2]: Rename2In.size,
};

/** The bit of what the request does, 0 for what no rule can touch. */
export function operationOf(engine: Engine): number {
  const truncates =
    engine.opcode === O.setattr && (engine.u32(SetattrIn.at.valid) & SETATTR.size) !== 0;
  return truncates ? TRUNCATE : (OPERATION_OF[engine.opcode] ?? 0);
}

const O_ACCMODE = 3;
const O_TRUNC = 0o1000;

/** Fills in what a rule may ask about besides the operation. */
export function describe(engine: Engine, request: Request): void {
  request.writes = false;
  request.offset = 0;
  request.size = 0;
  switch (engine.opcode) {
    case O.read:
      request.offset = engine.u64(ReadIn.at.offset);
      request.size = engine.u32(ReadIn.at.size);
      return;
    case O.write:
      request.offset = engine.u64(WriteIn.at.offset);
      request.size = engine.u32(WriteIn.at.size);
      return;
    case O.open:
      request.writes = (engine.u32(OpenIn.at.flags) & (O_ACCMODE | O_TRUNC)) !== 0;
      return;
    case O.setattr:
      request.offset = engine.u64(SetattrIn.at.size);
      return;
    case O.fallocate:
      request.offset = engine.u64(FallocateIn.at.offset);
      request.size = engine.u64(FallocateIn.at.length);
      return;
    case O.copyFileRange:
      request.offset = engine.u64(CopyFileRangeIn.at.offOut);
      request.size = engine.u64(CopyFileRangeIn.at.len);
      return;
    case O.getxattr:
      request.size = engine.u32(GetxattrIn.at.size);
      return;
    default:
      return;
  }
}
