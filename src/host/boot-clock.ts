import { readFileSync } from 'node:fs';
import { bootMs } from './clock.ts';

/** Instants of CLOCK_BOOTTIME, and a way to wait for one: replaced by virtual time in tests. */
export interface Clock {
  nowMs(): number;
  /**
   * Calls back once at an instant, or as soon after it as can be.
   * @param precise within a fraction of a millisecond; this thread does nothing else for the last two.
   * @returns how to cancel it.
   */
  at(instantMs: number, precise: boolean, callback: () => void): () => void;
}

/** Timers of Node are late by up to a millisecond or two: the rest is slept in the kernel. */
const NAP_MS = 2;
/** The kernel may be late by this much (its timer slack is 50 us): the rest is waited for awake. */
const AWAKE_MS = 0.15;
/** Nobody ever writes to it: waiting on it is sleeping, by a clock of nanoseconds. */
const never = new Int32Array(new SharedArrayBuffer(4));
/** Timers run on CLOCK_MONOTONIC, which stands still in suspend: look again this often. */
const LONGEST_MS = 10_000;

export const bootClock: Clock = {
  nowMs: bootMs,
  at(instantMs, precise, callback) {
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const leftMs = instantMs - bootMs() - (precise ? NAP_MS : 0);
      if (leftMs > 0) {
        // Rounded up: setTimeout(0.4) fires at once, and would be asked again and again.
        timer = setTimeout(wait, Math.min(Math.ceil(leftMs), LONGEST_MS));
        return;
      }
      // Not all of it awake: where several agents share a machine, one would have to wait for the others.
      const napMs = instantMs - bootMs() - AWAKE_MS;
      if (napMs > 0) Atomics.wait(never, 0, 0, napMs);
      while (bootMs() < instantMs);
      callback();
    };
    timer = setTimeout(wait, 0);
    if (instantMs - bootMs() > NAP_MS) {
      clearTimeout(timer);
      wait();
    }
    return () => clearTimeout(timer);
  },
};

/** Birth of a living process in clock ticks after boot: field 22 of proc_pid_stat(5); undefined: there is none. */
export function birthTicks(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is a name in parentheses that may hold anything, parentheses too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19]);
  } catch {
    // No such process: that is the answer.
    return undefined;
  }
}
