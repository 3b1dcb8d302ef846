import { OPCODES, OUT_HEADER_BYTES } from '../../core/codec/fuse/constants.ts';
import {
  InHeader,
  InitIn,
  InitOut,
  InterruptIn,
  OutHeader,
} from '../../core/codec/fuse/messages.ts';
import { negotiate } from '../../core/codec/fuse/init.ts';
import { parse, print } from '../../core/codec/fuse/struct.ts';
import { NO_REPLY, type Engine } from './engine.ts';
import { lastErrno, libc } from './libc.ts';
import { WORD } from './memory.ts';

const ENOENT = 2;
const EINTR = 4;
const EAGAIN = 11;
const EPROTO = 71;
/** Smallest size whose reply INIT of 7.23 and later is. */
const PAGE_BYTES = 4096;

/** What a session does with a request; faults come between it and `serve`. */
export interface Handler {
  /** The length of the reply's body, a negative errno or NO_REPLY. */
  handle(engine: Engine): number;
  /** Somebody wants to be rid of the request `unique` (as in its header). */
  interrupted(unique: bigint): void;
  /** After the reply to the request the engine still holds. */
  replied(engine: Engine): void;
}

/** Writes the reply to the request the engine holds. @param result as Handler.handle returns it. */
export function reply(engine: Engine, device: number, result: number): void {
  if (result === NO_REPLY) return;
  const { outputView, inputView } = engine;
  const length = OUT_HEADER_BYTES + Math.max(0, result);
  outputView.setUint32(OutHeader.at.len, length, true);
  outputView.setInt32(OutHeader.at.error, Math.min(0, result), true);
  const low = inputView.getUint32(InHeader.at.unique, true);
  outputView.setUint32(OutHeader.at.unique, low, true);
  const high = inputView.getUint32(InHeader.at.unique + 4, true);
  outputView.setUint32(OutHeader.at.unique + 4, high, true);
  // ENOENT: the caller was killed meanwhile and waits no more. Others: the connection is over,
  // and the next read says so.
  libc.write(device, engine.outputAddress, length);
}

/** Answers INIT. @returns as Handler.handle. */
export function initialize(engine: Engine): number {
  const asked = parse(InitIn, engine.inputView, engine.body);
  if (asked === undefined) return -EPROTO;
  const agreed = negotiate(asked, { pageBytes: PAGE_BYTES });
  if (!agreed.ok) return -EPROTO;
  print(InitOut, agreed.value, engine.outputView, OUT_HEADER_BYTES);
  Atomics.store(engine.memory.words, WORD.minor, agreed.value.minor ?? 0);
  return InitOut.size;
}

/** Serves requests from one queue until the file system is unmounted. Blocks its thread. */
export function runSession(engine: Engine, device: number, handler: Handler): void {
  const { words } = engine.memory;
  for (;;) {
    const length = libc.read(device, engine.inputAddress, engine.input.length);
    if (length === -1) {
      const errno = lastErrno();
      if (errno === ENOENT || errno === EINTR || errno === EAGAIN) continue;
      return;
    }
    if (!engine.load(length)) continue;
    if (engine.opcode === OPCODES.interrupt) {
      handler.interrupted(engine.inputView.getBigUint64(engine.body + InterruptIn.at.unique, true));
      continue;
    }
    if (engine.opcode === OPCODES.init) {
      reply(engine, device, initialize(engine));
      Atomics.store(words, WORD.initDone, 1);
      Atomics.notify(words, WORD.initDone);
      continue;
    }
    const result = handler.handle(engine);
    reply(engine, device, result);
    if (result !== NO_REPLY) handler.replied(engine);
  }
}
