import type { LinkEvent } from '../model/link.ts';
import { ERRNO, ERRNO_NAMES } from './errno.ts';

/** What the file system says of one request that it hit. */
export interface DiskHit {
  /** Tokens of the faults. */
  faults: string[];
  operation: string;
  path: string;
  /** 0: no error. */
  errno: number;
}

/** What people are told: one hit, or only how many more there were. */
export interface HitNote {
  /** Token of the fault. */
  token: string;
  hit?: DiskHit;
  /** Hits of this fault before it that nobody was told of one by one. */
  leftOut: number;
}

interface Told {
  /** Hits that a note has shown or counted. */
  hits: number;
  /** How many more may be shown now; one comes back every second. */
  credit: number;
  creditAtMs: number;
  summaryAtMs: number;
}

/** So many hits of a fault are shown at once, and one a second after that. */
const BURST = 10;
const EVERY_MS = 1_000;
const REMEMBERED = 1_000;

/** Chooses the hits that are told of; together, what is shown and what is left out is every hit there was. */
export class DiskHits {
  readonly #told = new Map<string, Told>();

  /**
   * @param hits all hits there were so far of each fault, by token, those of `shown` among them.
   * @param ended those that stand no more: what is left of them is told at once.
   * @returns the notes, and whether hits are left to be told of in a second.
   */
  take(
    shown: readonly DiskHit[],
    hits: ReadonlyMap<string, number>,
    ended: ReadonlySet<string>,
    nowMs: number,
  ): { notes: HitNote[]; isMore: boolean } {
    const notes: HitNote[] = [];
    for (const hit of shown) {
      for (const token of hit.faults) {
        const told = this.#find(token, nowMs);
        // An event may come after the count that has it, and was told.
        if (told.credit < 1 || told.hits >= (hits.get(token) ?? 0)) continue;
        told.credit -= 1;
        told.hits += 1;
        notes.push({ token, hit, leftOut: 0 });
      }
    }
    let isMore = false;
    for (const [token, count] of hits) {
      const told = this.#find(token, nowMs);
      const leftOut = count - told.hits;
      const isDue = ended.has(token) || nowMs - told.summaryAtMs >= EVERY_MS;
      if (leftOut > 0 && isDue) {
        told.hits = count;
        told.summaryAtMs = nowMs;
        notes.push({ token, leftOut });
      } else if (leftOut > 0) isMore = true;
    }
    return { notes, isMore };
  }

  #find(token: string, nowMs: number): Told {
    let told = this.#told.get(token);
    if (told === undefined) {
      told = { hits: 0, credit: BURST, creditAtMs: nowMs, summaryAtMs: nowMs };
      this.#told.set(token, told);
      for (const oldest of this.#told.keys())
        if (this.#told.size > REMEMBERED) this.#told.delete(oldest);
    }
    const back = Math.floor((nowMs - told.creditAtMs) / EVERY_MS);
    told.credit = Math.min(BURST, told.credit + back);
    told.creditAtMs += back * EVERY_MS;
    return told;
  }
}

/** A note as an event, in words. */
export function hitEvent(fault: { id: string; kind: string }, note: HitNote): LinkEvent {
  const { hit, leftOut } = note;
  const who = `${fault.kind} '${fault.id}'`;
  if (hit === undefined) {
    const message = `${who} has hit ${leftOut} more ${leftOut === 1 ? 'request' : 'requests'}`;
    return { type: 'fault.hit', fault: fault.id, message, data: { leftOut } };
  }
  const { operation, path, errno } = hit;
  const name = ERRNO_NAMES.find((each) => ERRNO[each] === errno);
  const message = `${who} has hit ${operation} of '${path}'${name === undefined ? '' : `: ${name}`}`;
  const data = { operation, path, ...(name === undefined ? {} : { errno: name }), leftOut };
  return { type: 'fault.hit', fault: fault.id, message, data };
}
