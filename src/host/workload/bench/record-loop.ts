import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pace } from '../../../core/workloads/pace.ts';
import { pause } from './context.ts';
import type { ProducerLoad } from './producer-load.ts';

/** As many records are made before others have their turn. */
const AT_ONCE = 256;

interface LoopOptions {
  load: ProducerLoad;
  pace: Pace;
  /** Records in all. */
  most: number;
  signal: AbortSignal;
  /** Appends the record with this number (0, 1, 2 ...). */
  make(index: number, wallMs: number, nowMs: number): void;
  /** Before each record: what has to be waited for first, if anything. */
  before?(index: number, nowMs: number): Promise<void> | undefined;
}

/** Makes records, no faster than the pace and no more than there is room for, until all are made or the end. */
export async function recordLoop(options: LoopOptions): Promise<void> {
  const { load, pace, most, signal } = options;
  let index = 0;
  while (index < most && !signal.aborted) {
    const nowMs = performance.now();
    const room = pace.room(nowMs);
    if (room < 1) {
      load.pump();
      await pause(pace.waitMs(nowMs), signal);
      continue;
    }
    const made = await burst(options, index, Math.min(room, most - index, AT_ONCE), nowMs);
    index += made;
    pace.take(made);
    load.pump();
    if (load.hasRoom) await nextTurn();
    else await load.changed(signal);
  }
}

async function burst(
  { load, make, before, signal }: LoopOptions,
  first: number,
  count: number,
  nowMs: number,
): Promise<number> {
  const wallMs = Date.now();
  for (let done = 0; done < count; done++) {
    const waits = before?.(first + done, nowMs);
    if (waits) await waits;
    if (!load.hasRoom || signal.aborted) return done;
    make(first + done, wallMs, nowMs);
  }
  return count;
}
