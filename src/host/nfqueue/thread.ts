import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/base/assert.ts';
import { COUNT, type Counters } from './counters.ts';
import { addressOf, libc } from './libc.ts';
import { PacketLoop, type PacketWork } from './packet-loop.ts';
import { QueueTaken } from './packet-queue.ts';
import { rehearse } from './rehearse.ts';

/** What the thread of the loop is given. */
export interface PacketThreadData {
  work: PacketWork;
  counters: Counters;
  /** Priority under SCHED_FIFO; 0: that of the process. */
  priority: number;
}

/** What it says first: it serves, the number is another's, or why it can't. */
export type PacketThreadWord = 'ready' | 'taken' | { error: string };

const SCHED_FIFO = 1;
const PR_SET_TIMERSLACK = 29;

/** The loop before everybody else, and woken to the nanosecond; where it may not, it goes without. */
function takePriority({ priority, counters }: PacketThreadData): void {
  libc.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  if (priority === 0) return;
  const parameter = Buffer.alloc(4);
  parameter.writeInt32LE(priority);
  const set = libc.schedSetscheduler(0, SCHED_FIFO, addressOf(parameter));
  counters[COUNT.realtime] = set === 0 ? 1 : 0;
}

const port = parentPort;
assert(port !== null, 'this file is started as a thread');
const data = workerData as PacketThreadData;
const say = (word: PacketThreadWord): void => port.postMessage(word);
try {
  const loop = new PacketLoop(data.work, data.counters);
  rehearse(data.work);
  takePriority(data);
  say('ready');
  loop.run();
} catch (error) {
  say(error instanceof QueueTaken ? 'taken' : { error: String(error) });
}
