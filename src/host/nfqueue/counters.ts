/** What one packet process has counted, in memory that its two threads share. */
export const COUNT = {
  /** Packets decided on. */
  seen: 0,
  dropped: 1,
  /** Held for a while. */
  delayed: 2,
  duplicated: 3,
  corrupted: 4,
  /** Held so that others overtake them. */
  reordered: 5,
  /** Dropped because they would have had to wait too long for their turn. */
  overLimit: 6,
  /** Passed by the kernel, because this process was too slow (gaps in the packets' numbers). */
  untouched: 7,
  /** Waiting now. */
  held: 8,
  /** 1 where the loop runs under SCHED_FIFO. */
  realtime: 9,
  /** Order to end: 1. */
  stop: 10,
} as const;

export const COUNTS = Object.keys(COUNT).length;

export type Counters = Float64Array<SharedArrayBuffer>;

export const makeCounters = (): Counters => new Float64Array(new SharedArrayBuffer(8 * COUNTS));
