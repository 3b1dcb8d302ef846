import type { MessagePort } from 'node:worker_threads';
import { InHeader, Rename2In, RenameIn, WriteIn } from '../../core/codec/fuse/messages.ts';
import { OPCODES, OUT_HEADER_BYTES, WRITE_CACHE } from '../../core/codec/fuse/constants.ts';
import { opcodeName } from '../../core/codec/fuse.ts';
import type { Verdict } from '../../core/disk/decide.ts';
import { serveControlFile } from './control-file.ts';
import { serve } from './dispatch.ts';
import { NO_REPLY, type Engine } from './engine.ts';
import { execute } from './execute.ts';
import { Holes } from './holes.ts';
import type { Judge } from './judge.ts';
import { WORD, type Memory } from './memory.ts';
import type { Hold, Moved, Pages, Report } from './messages.ts';
import { rateWaitMs } from './rate.ts';
import { nodeAt } from './operations-names.ts';
import type { Handler } from './session.ts';

/** Above this, delayed writes are done first and only their replies are held. */
const HELD_BYTES_LIMIT = 64 << 20;
/** How long a write's reply waits for the kernel to drop its pages: one of them may be in use. */
const DROP_WAIT_MS = 200;
const PAGE = 4096;
/** Shorter waits cost more to hold than they are. */
const SHORTEST_WAIT_MS = 1;
const EVENTS_PER_SECOND = 100;

export interface Neighbours {
  lanes: readonly MessagePort[];
  notifier: MessagePort;
  /** The control thread. */
  control: { postMessage(message: Report): void };
}

/** The file a rename moves, or 0. */
function movedNode(engine: Engine): number {
  const isRename2 = engine.opcode === OPCODES.rename2;
  const name = engine.entryName(isRename2 ? Rename2In.size : RenameIn.size);
  return name === undefined ? 0 : nodeAt(engine, engine.node, name);
}

/** Judges each request and does to it what the verdict says. */
export class Faults implements Handler {
  readonly #memory: Memory;
  readonly #judge: Judge;
  readonly #device: number;
  readonly #to: Neighbours;
  readonly #done = new Int32Array(new SharedArrayBuffer(4));
  #sent = 0;
  /** After the reply: drop the pages it filled. */
  #after: Pages | Moved | undefined;
  #events = { second: 0, count: 0 };
  readonly #holes = new Holes();

  constructor(memory: Memory, judge: Judge, device: number, neighbours: Neighbours) {
    this.#memory = memory;
    this.#judge = judge;
    this.#device = device;
    this.#to = neighbours;
  }

  handle(engine: Engine): number {
    const { controlFile } = engine.options;
    if (controlFile !== undefined) {
      const served = serveControlFile(engine, controlFile, this.#device, this.#to.control);
      if (served !== undefined) return served;
    }
    if (Atomics.load(this.#memory.words, WORD.active) === 0) return serve(engine);
    const verdict = this.#judge.ask(engine);
    if (verdict === undefined) return this.pass(engine);
    // Whether a full disk hits it is known only when it was tried.
    if (verdict.full === undefined) this.#tell(engine, verdict, verdict.errno);
    const waitMs = verdict.delayMs + rateWaitMs(this.#memory, verdict, engine);
    if (verdict.stalled || waitMs >= SHORTEST_WAIT_MS) return this.#hold(engine, verdict, waitMs);
    return this.carryOut(engine, verdict);
  }

  /** Serves a request that no fault hits. */
  pass(engine: Engine): number {
    return this.#perform(engine, undefined);
  }

  /** Does what is left of a verdict once nothing holds the request any more. */
  carryOut(engine: Engine, verdict: Verdict): number {
    return this.#perform(engine, verdict);
  }

  /** What the kernel keeps of a file that is written or renamed may not hide a fault. */
  #perform(engine: Engine, verdict: Verdict | undefined): number {
    switch (engine.opcode) {
      case OPCODES.write: {
        const result = this.#run(engine, verdict);
        this.dropFreshPages(engine);
        return result;
      }
      case OPCODES.rename:
      case OPCODES.rename2:
        return this.#move(engine, verdict);
      default:
        return this.#run(engine, verdict);
    }
  }

  #run(engine: Engine, verdict: Verdict | undefined): number {
    if (verdict === undefined) return serve(engine);
    const { result, isHit } = execute(engine, verdict);
    if (verdict.full !== undefined && isHit) this.#tell(engine, verdict, Math.max(0, -result));
    if (engine.opcode === OPCODES.read && verdict.alterations.length > 0 && result >= 0) {
      this.#after = { type: 'pages', node: engine.node, offset: 0, length: 0 };
    }
    return result;
  }

  /** What was no fault's may be one's under its new name, though the kernel has it cached. */
  #move(engine: Engine, verdict: Verdict | undefined): number {
    const { words } = this.#memory;
    const pathEpoch = Atomics.load(words, WORD.pathEpoch);
    const node = this.#judge.mayTakeNewName(engine) ? movedNode(engine) : 0;
    const before = node === 0 ? [] : this.#judge.hidden(engine, node);
    const result = this.#run(engine, verdict);
    if (result !== 0) return result;
    // A directory moved: all paths below it are new.
    const isDirectory = Atomics.load(words, WORD.pathEpoch) !== pathEpoch;
    const gains = (): boolean => {
      const known = new Set(before.map((rule) => rule.index));
      return this.#judge.hidden(engine, node).some((rule) => !known.has(rule.index));
    };
    if (isDirectory || (node !== 0 && gains())) this.#after = { type: 'moved', node, isDirectory };
    return result;
  }

  /**
   * A page written while its reading is faulted must be read from the disk: it is dropped before the
   * writer hears of its success. The kernel keeps one that was written in part locked until then, but
   * such a page is not valid afterwards either, as it was not read before.
   */
  dropFreshPages(engine: Engine): void {
    if (!this.#judge.refusesFreshPages(engine)) return;
    const offset = engine.u64(WriteIn.at.offset);
    const length = engine.u32(WriteIn.at.size);
    const isMapped = (engine.u32(WriteIn.at.writeFlags) & WRITE_CACHE) !== 0;
    const from = Math.ceil(offset / PAGE) * PAGE;
    const whole = Math.floor((offset + length) / PAGE) * PAGE - from;
    if (isMapped || whole < length) {
      this.#after = { type: 'pages', node: engine.node, offset, length };
    }
    if (isMapped || whole <= 0) return;
    const pages: Pages = { type: 'pages', node: engine.node, offset: from, length: whole };
    this.#to.notifier.postMessage({ ...pages, done: this.#done });
    this.#sent++;
    const endsAt = performance.now() + DROP_WAIT_MS;
    for (;;) {
      const done = Atomics.load(this.#done, 0);
      if (done >= this.#sent || performance.now() >= endsAt) return;
      Atomics.wait(this.#done, 0, done, DROP_WAIT_MS);
    }
  }

  replied(engine: Engine): void {
    const after = this.#after ?? this.#holes.after(engine);
    if (after === undefined) return;
    this.#to.notifier.postMessage(after);
    this.#after = undefined;
  }

  interrupted(unique: bigint): void {
    this.#lane(unique).postMessage({ type: 'interrupted', unique });
  }

  #lane(unique: bigint): MessagePort {
    return this.#to.lanes[Number((unique >> 1n) % BigInt(this.#to.lanes.length))] as MessagePort;
  }

  #hold(engine: Engine, verdict: Verdict, waitMs: number): number {
    const { words } = this.#memory;
    const unique = engine.inputView.getBigUint64(InHeader.at.unique, true);
    const isReply = Atomics.load(words, WORD.heldBytes) + engine.length > HELD_BYTES_LIMIT;
    let bytes: ArrayBuffer;
    if (isReply) {
      const result = this.carryOut(engine, verdict);
      if (result === NO_REPLY) return NO_REPLY;
      const length = OUT_HEADER_BYTES + Math.max(0, result);
      engine.outputView.setUint32(0, length, true);
      engine.outputView.setInt32(4, Math.min(0, result), true);
      engine.outputView.setBigUint64(8, unique, true);
      bytes = new Uint8Array(engine.output.subarray(0, length)).buffer;
    } else {
      bytes = new Uint8Array(engine.input.subarray(0, engine.length)).buffer;
    }
    Atomics.add(words, WORD.heldBytes, bytes.byteLength);
    Atomics.add(words, WORD.held, 1);
    const { pid } = engine;
    const { epoch } = this.#judge;
    const device = this.#device;
    const hold: Hold = {
      type: 'hold',
      unique,
      device,
      pid,
      bytes,
      isReply,
      verdict,
      waitMs,
      epoch,
    };
    this.#lane(unique).postMessage(hold, [bytes]);
    return NO_REPLY;
  }

  /** An event a hit, at most 100 a second of each thread: the counters know them all. */
  #tell(engine: Engine, verdict: Verdict, errno: number): void {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#events.second) this.#events = { second, count: 0 };
    if (++this.#events.count > EVENTS_PER_SECOND) {
      Atomics.add(this.#memory.words, WORD.dropped, 1);
      return;
    }
    this.#to.control.postMessage({
      type: 'hit',
      places: verdict.hits,
      operation: opcodeName(engine.opcode),
      path: engine.table.pathOf(engine.node) ?? '',
      errno,
    });
  }
}
