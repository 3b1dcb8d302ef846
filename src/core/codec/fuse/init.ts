import { valid, invalid, type Checked } from '../../base/problem.ts';
import type { Values } from './struct.ts';
import type { InitIn, InitOut } from './messages.ts';

/** Flags of FUSE_INIT that we use; a bit we don't know is never acknowledged. */
export const INIT = {
  asyncRead: 1 << 0,
  atomicOTrunc: 1 << 3,
  bigWrites: 1 << 5,
  autoInvalData: 1 << 12,
  asyncDio: 1 << 15,
  parallelDirops: 1 << 18,
  abortError: 1 << 21,
  maxPages: 1 << 22,
  cacheSymlinks: 1 << 23,
  explicitInvalData: 1 << 25,
  handleKillprivV2: 1 << 28,
} as const;

/** The newest protocol we speak: NOTIFY_INC_EPOCH came with 7.44. Kernels reply min(theirs, ours). */
export const OUR_MINOR = 45;
/** Linux 5.4. */
export const OLDEST_MINOR = 31;

export const MAX_WRITE = 1 << 20;

export interface InitOptions {
  pageBytes: number;
}

/**
 * Agrees on the protocol with a kernel from 5.4 (7.31) to 6.18 (7.45).
 * Not asked for, and why: WRITEBACK_CACHE (a write could no longer fail at once), POSIX_LOCKS and
 * FLOCK_LOCKS (the kernel keeps them, right for one machine), AUTO_INVAL_DATA (would drop the cache
 * of a file at each append), POSIX_ACL, DO_READDIRPLUS (a list costs three times as much, and one with a
 * stat of each name no less: a look-up is a look-up).
 */
export function negotiate(
  asked: Values<(typeof InitIn)['fields']>,
  options: InitOptions,
): Checked<Partial<Values<(typeof InitOut)['fields']>>> {
  if (asked.major !== 7 || asked.minor < OLDEST_MINOR) {
    return invalid({
      path: '',
      message: 'this kernel speaks a FUSE protocol that is too old',
      found: `${asked.major}.${asked.minor}`,
      expected: `7.${OLDEST_MINOR} (Linux 5.4) or newer`,
    });
  }
  let wanted = 0;
  for (const flag of Object.values(INIT)) wanted |= flag;
  wanted &= ~INIT.autoInvalData;
  return valid({
    major: 7,
    minor: Math.min(asked.minor, OUR_MINOR),
    maxReadahead: MAX_WRITE,
    flags: (asked.flags & wanted) >>> 0,
    // Held readahead counts as background: it must never use up what others need.
    maxBackground: 65_535,
    congestionThreshold: 49_151,
    maxWrite: MAX_WRITE,
    timeGran: 1,
    maxPages: MAX_WRITE / options.pageBytes,
    flags2: 0,
  });
}
