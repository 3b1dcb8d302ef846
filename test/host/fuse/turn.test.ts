import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { PLAY, type TurnThread } from '../../support/turn-thread.ts';

const SEED = 11;
const REQUESTS = 2000;

describe('turns', () => {
  for (const threads of [2, 4]) {
    const title = `${threads} threads: one reads at a time, none that is stuck holds others (seed ${SEED})`;
    test(title, async () => {
      const words = new Int32Array(new SharedArrayBuffer(256));
      const play = new Int32Array(new SharedArrayBuffer(64));
      const workers = Array.from({ length: threads }, (_, index) => {
        const workerData: TurnThread = { words, play, seed: SEED + index, requests: REQUESTS };
        return new Worker(new URL('../../support/turn-thread.ts', import.meta.url), { workerData });
      });
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      assert.equal(play[PLAY.overlaps], 0);
      assert.ok((play[PLAY.served] ?? 0) >= REQUESTS);
      await Promise.all(workers.map((worker) => worker.terminate()));
    });
  }
});
