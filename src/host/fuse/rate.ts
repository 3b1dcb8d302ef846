import { OPCODES } from '../../core/codec/fuse/constants.ts';
import { ReadIn, WriteIn } from '../../core/codec/fuse/messages.ts';
import type { Verdict } from '../../core/disk/decide.ts';
import type { Engine } from './engine.ts';
import type { Memory } from './memory.ts';

const PER_RULE = 3;
const NS_PER_S = 1e9;

/**
 * How long a request waits for its share of a rate (the generic cell rate algorithm: a rule's next
 * free instant is shared by all threads), in milliseconds.
 */
export function rateWaitMs(memory: Memory, verdict: Verdict, engine: Engine): number {
  let waitNs = 0;
  for (const { index, effect } of verdict.rates) {
    const size = bytesOf(engine);
    const forBytes = effect.bytesPerSecond === undefined ? 0 : size / effect.bytesPerSecond;
    const forOne = effect.operationsPerSecond === undefined ? 0 : 1 / effect.operationsPerSecond;
    const costNs = BigInt(Math.round(Math.max(forBytes, forOne) * NS_PER_S));
    waitNs = Math.max(waitNs, reserve(memory.wide, index * PER_RULE, costNs));
  }
  return waitNs / 1e6;
}

function bytesOf(engine: Engine): number {
  if (engine.opcode === OPCODES.read) return engine.u32(ReadIn.at.size);
  if (engine.opcode === OPCODES.write) return engine.u32(WriteIn.at.size);
  return 0;
}

/** Takes the next `cost` of time; the request is done when its own cost has passed, too. */
function reserve(wide: BigInt64Array, at: number, cost: bigint): number {
  for (;;) {
    const now = process.hrtime.bigint();
    const free = Atomics.load(wide, at);
    const start = free > now ? free : now;
    if (Atomics.compareExchange(wide, at, free, start + cost) === free) {
      return Number(start + cost - now);
    }
  }
}
