import { readFileSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { without } from '../../core/disk/decide.ts';
import { NO_REPLY, type Engine } from './engine.ts';
import type { Faults } from './faults.ts';
import { addressOf, libc } from './libc.ts';
import { WORD } from './memory.ts';
import type { Hold, LaneMessage, Report } from './messages.ts';
import { reply } from './session.ts';

/** How often a held caller with a signal is looked at again. */
const LOOK_AGAIN_MS = 50;
/** How long an interrupt waits for its request to arrive here. */
const EARLY_MS = 2000;
const EINTR = 4;
const SIGKILL_BIT = 1n << 8n;
/** Beyond this setTimeout would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Held extends Hold {
  since: number;
  timer: NodeJS.Timeout | undefined;
  watch: NodeJS.Timeout | undefined;
}

/**
 * Whether a thread is being killed: only then may a caller leave a disk operation, which no handled
 * signal interrupts on a real disk. The kernel marks every thread of a dying process with SIGKILL.
 */
function isDying(pid: number): boolean {
  if (pid === 0) return true;
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    // The thread is gone, or in a PID namespace we don't see: let it go.
    return true;
  }
  for (const line of status.matchAll(/^(?:SigPnd|ShdPnd):\t([0-9a-f]+)$/gm)) {
    if ((BigInt(`0x${line[1]}`) & SIGKILL_BIT) !== 0n) return true;
  }
  return false;
}

/** Keeps delayed and stalled requests, so that no serving thread ever waits for one. */
export class Lane {
  readonly #engine: Engine;
  readonly #faults: Faults;
  readonly #control: { postMessage(message: Report): void };
  readonly #held = new Map<bigint, Held>();
  /** Interrupts that came before their request, and when. */
  readonly #early = new Map<bigint, number>();
  /** From which epoch on a place is no longer what it was. */
  readonly #healed = new Map<number, number>();

  constructor(engine: Engine, faults: Faults, control: { postMessage(message: Report): void }) {
    this.#engine = engine;
    this.#faults = faults;
    this.#control = control;
  }

  listen(port: MessagePort): void {
    port.on('message', (message: LaneMessage) => this.#take(message));
  }

  #take(message: LaneMessage): void {
    if (message.type === 'hold') this.#hold(message);
    else if (message.type === 'interrupted') this.#interrupted(message.unique);
    else {
      for (const place of message.places) this.#healed.set(place, message.epoch);
      for (const held of this.#held.values()) {
        if (this.#isHealed(held)) this.#ease(held);
      }
      this.#control.postMessage({ type: 'healed', epoch: message.epoch });
    }
  }

  #isHealed(hold: Hold): boolean {
    return hold.verdict.hits.some((place) => (this.#healed.get(place) ?? 0) > hold.epoch);
  }

  #hold(hold: Hold): void {
    const held: Held = { ...hold, since: performance.now(), timer: undefined, watch: undefined };
    this.#held.set(hold.unique, held);
    if (this.#isHealed(hold)) this.#ease(held);
    else this.#wait(held);
    if (this.#early.delete(hold.unique)) this.#watch(held);
  }

  #wait(held: Held): void {
    clearTimeout(held.timer);
    if (held.verdict.stalled) return;
    const waitMs = Math.min(held.waitMs - (performance.now() - held.since), LONGEST_TIMER_MS);
    held.timer = setTimeout(() => this.#finish(held), Math.max(0, waitMs));
  }

  /** A fault that has ended takes its own part along; what others do to the request stays. */
  #ease(held: Held): void {
    const { verdict, waitMs, epoch } = held;
    held.verdict = without(verdict, (place) => (this.#healed.get(place) ?? 0) > epoch);
    const forRate = held.verdict.rates.length === 0 ? 0 : waitMs - verdict.delayMs;
    held.waitMs = held.verdict.delayMs + forRate;
    if (held.verdict.stalled || held.waitMs > performance.now() - held.since) this.#wait(held);
    else this.#finish(held);
  }

  #interrupted(unique: bigint): void {
    const held = this.#held.get(unique);
    if (held !== undefined) return this.#watch(held);
    const now = performance.now();
    for (const [early, at] of this.#early) if (now - at > EARLY_MS) this.#early.delete(early);
    this.#early.set(unique, now);
  }

  /** The kernel tells of the first signal only: a fatal one may follow a handled one. */
  #watch(held: Held): void {
    if (!this.#held.has(held.unique)) return;
    if (isDying(held.pid)) return this.#drop(held);
    held.watch = setTimeout(() => this.#watch(held), LOOK_AGAIN_MS);
  }

  #forget(held: Held): boolean {
    clearTimeout(held.timer);
    clearTimeout(held.watch);
    if (!this.#held.delete(held.unique)) return false;
    const { words } = this.#engine.memory;
    Atomics.sub(words, WORD.heldBytes, held.bytes.byteLength);
    Atomics.sub(words, WORD.held, 1);
    return true;
  }

  #drop(held: Held): void {
    if (!this.#forget(held) || held.isReply) return this.#sendReply(held);
    this.#load(held);
    reply(this.#engine, held.device, -EINTR);
  }

  #load(held: Held): boolean {
    this.#engine.input.set(new Uint8Array(held.bytes));
    return this.#engine.load(held.bytes.byteLength);
  }

  #sendReply(held: Held): void {
    const bytes = Buffer.alloc(Math.max(4096, held.bytes.byteLength));
    bytes.set(new Uint8Array(held.bytes));
    libc.write(held.device, addressOf(bytes), held.bytes.byteLength);
  }

  /** Carries the request out, as far as its faults still are in force. */
  #finish(held: Held): void {
    if (!this.#forget(held)) return;
    if (held.isReply) return this.#sendReply(held);
    if (!this.#load(held)) return;
    const result = this.#faults.carryOut(this.#engine, held.verdict);
    reply(this.#engine, held.device, result);
    if (result !== NO_REPLY) this.#faults.replied(this.#engine);
  }
}
