import { parentPort, workerData } from 'node:worker_threads';
import { Random } from '../../src/core/base/random.ts';
import { Turn } from '../../src/host/fuse/turn.ts';

/** What threads that take turns share, beside the words of the file system itself. */
export const PLAY = { readers: 0, overlaps: 1, served: 2, stuck: 3, given: 4 } as const;

export interface TurnThread {
  /** As in memory.ts. */
  words: Int32Array;
  play: Int32Array;
  seed: number;
  /** Requests in all. */
  requests: number;
}

/** How many requests the others serve while one is stuck: more than one turn. */
const MEANWHILE = 5;
const IN_VAIN_MS = 20_000;
/** Longer than it takes until who watches goes to sleep. */
const IDLE_MS = 20;

/** Reads and serves made-up requests: some at once, some slowly, some unexpectedly so. */
function run({ words, play, seed, requests }: TurnThread): void {
  const turn = new Turn(words);
  const random = new Random(seed);
  const pause = (ms: number): unknown => Atomics.wait(play, PLAY.given, 0, ms);
  for (;;) {
    turn.take();
    if (Atomics.add(play, PLAY.readers, 1) !== 0) Atomics.add(play, PLAY.overlaps, 1);
    if (random.below(20) === 0) pause(IDLE_MS);
    Atomics.sub(play, PLAY.readers, 1);
    if (Atomics.load(play, PLAY.served) >= requests) return turn.pass();
    turn.serves();
    const kind = random.below(20);
    const served = Atomics.add(play, PLAY.served, 1);
    if (kind === 0) {
      turn.pass();
      pause(2);
    } else if (kind === 1 && served < requests - 100) stayStuck(play, served);
  }
}

/** Until others have served some: for ever where nobody takes the turn. */
function stayStuck(play: Int32Array, before: number): void {
  // One at a time: if all were stuck, nobody would be left.
  if (Atomics.compareExchange(play, PLAY.stuck, 0, 1) !== 0) return;
  const endsAt = performance.now() + IN_VAIN_MS;
  while (Atomics.load(play, PLAY.served) < before + MEANWHILE) {
    if (performance.now() > endsAt) throw new Error('nobody took the turn of one that is stuck');
    Atomics.wait(play, PLAY.given, 0, 1);
  }
  Atomics.store(play, PLAY.stuck, 0);
}

// Whoever starts the threads imports this, too.
if (parentPort !== null) {
  run(workerData as TurnThread);
  parentPort.postMessage('done');
}
