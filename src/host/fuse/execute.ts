import { OPCODES, OUT_HEADER_BYTES } from '../../core/codec/fuse/constants.ts';
import { FsyncIn, ReadIn, WriteIn } from '../../core/codec/fuse/messages.ts';
import { MAX_WRITE } from '../../core/codec/fuse/init.ts';
import { Random } from '../../core/base/random.ts';
import { corrupt, planWrite, shortened } from '../../core/disk/alter.ts';
import type { Alteration, Verdict } from '../../core/disk/decide.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import { serve } from './dispatch.ts';
import type { Engine } from './engine.ts';
import { libc } from './libc.ts';
import { maybeKillPrivileges, replyWritten, writeData } from './operations-files.ts';
import { admit, type Admitted } from './quota.ts';
import { failUnsynced, overlayStale } from './power-cut.ts';
import { beforeChange } from './tracking.ts';
import { isTracked, tracked } from './undo-log.ts';

/** Does to a request what the verdict says, apart from holding it. @returns `result` as `serve`; whether anything was done to the request. */
export function execute(engine: Engine, verdict: Verdict): Admitted {
  if (verdict.errno !== 0) return { result: -verdict.errno, isHit: true };
  if (verdict.full === undefined) return { result: altered(engine, verdict), isHit: true };
  const admitted = admit(engine, verdict.full, () => altered(engine, verdict));
  return { ...admitted, isHit: admitted.isHit || verdict.hits.length > 1 };
}

function altered(engine: Engine, verdict: Verdict): number {
  if (engine.opcode === OPCODES.fsync || engine.opcode === OPCODES.fsyncdir) {
    return verdict.fsync === undefined ? serve(engine) : fsync(engine, verdict.fsync);
  }
  if (verdict.alterations.length === 0) return serve(engine);
  if (engine.opcode === OPCODES.read) return read(engine, verdict.alterations);
  if (engine.opcode === OPCODES.write) {
    return isTracked(engine)
      ? tracked(engine, () => write(engine, verdict.alterations))
      : write(engine, verdict.alterations);
  }
  return serve(engine);
}

function read(engine: Engine, alterations: readonly Alteration[]): number {
  const length = serve(engine);
  if (length <= 0) return length;
  const bytes = engine.output.subarray(OUT_HEADER_BYTES, OUT_HEADER_BYTES + length);
  let told = length;
  for (const { effect, seed } of alterations) {
    if (effect.kind === 'corrupt') corrupt(effect, bytes.subarray(0, told), new Random(seed));
    else if (effect.kind === 'short') told = Math.min(told, shortened(effect, told, seed));
    else if (effect.kind === 'stale') {
      overlayStale(engine, engine.u64(ReadIn.at.offset), bytes.subarray(0, told));
    }
  }
  return told;
}

function write(engine: Engine, alterations: readonly Alteration[]): number {
  const fd = engine.descriptor(WriteIn.at.fh);
  const data = writeData(engine);
  if (fd === -1) return -ERRNO.EBADF;
  if (data === undefined || data.size > MAX_WRITE) return -ERRNO.EINVAL;
  maybeKillPrivileges(engine, fd);
  const bytes = engine.input.subarray(data.from, data.from + data.size);
  for (const { effect, seed } of alterations) {
    if (effect.kind === 'corrupt') corrupt(effect, bytes, new Random(seed));
  }
  const offset = engine.u64(WriteIn.at.offset);
  const plan = planWrite(alterations, data.size, offset);
  for (const piece of plan.pieces) {
    const size = piece.to - piece.from;
    if (isTracked(engine)) beforeChange(engine, fd, piece.offset, size);
    const from = engine.inputAddress + data.from + piece.from;
    if (libc.pwrite(fd, from, size, piece.offset) === -1) return engine.failed();
  }
  if (plan.extends) {
    const error = extend(engine, fd, offset + plan.told);
    if (error !== 0) return error;
  }
  return replyWritten(engine, plan.told);
}

/** The file system knows the file's size; only the blocks never arrived. */
function extend(engine: Engine, fd: number, size: number): number {
  const looked = engine.statDescriptor(fd);
  if (looked !== 0) return looked;
  if (engine.size >= size) return 0;
  if (isTracked(engine)) beforeChange(engine, fd, engine.size, 0);
  return libc.ftruncate(fd, size) === -1 ? engine.failed() : 0;
}

function fsync(engine: Engine, effect: NonNullable<Verdict['fsync']>): number {
  const fd = engine.descriptor(FsyncIn.at.fh);
  if (fd === -1) return -ERRNO.EBADF;
  if (effect.how === 'ignored') return 0;
  if (engine.opcode === OPCODES.fsync) failUnsynced(engine, fd, effect.after ?? 'ext4');
  return -ERRNO[effect.errno ?? 'EIO'];
}
