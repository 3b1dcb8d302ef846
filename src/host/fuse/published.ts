import type { Published } from '../../core/disk/rule.ts';
import { lock, unlock } from './lock.ts';
import { WORD, type Memory } from './memory.ts';

/**
 * The rules in force, in the memory that all threads share. They are read when the epoch has changed,
 * which may be while the next ones are being written: a lock keeps both apart.
 */

/** @returns the epoch from which on they apply. */
export function writePublished({ words, rules }: Memory, published: Published): number {
  const bytes = Buffer.from(JSON.stringify(published));
  lock(words, WORD.rulesLock);
  try {
    rules.set(bytes);
    Atomics.store(words, WORD.rulesLength, bytes.length);
    return Atomics.add(words, WORD.epoch, 1) + 1;
  } finally {
    unlock(words, WORD.rulesLock);
  }
}

export function readPublished({ words, rules }: Memory): { epoch: number; published: Published } {
  lock(words, WORD.rulesLock);
  let bytes: Uint8Array;
  let epoch: number;
  try {
    // A copy: TextDecoder doesn't read shared memory.
    bytes = rules.slice(0, Atomics.load(words, WORD.rulesLength));
    epoch = Atomics.load(words, WORD.epoch);
  } finally {
    unlock(words, WORD.rulesLock);
  }
  return { epoch, published: JSON.parse(Buffer.from(bytes).toString('utf8')) as Published };
}
