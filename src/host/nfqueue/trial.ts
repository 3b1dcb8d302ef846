import { parentPort, Worker, workerData } from 'node:worker_threads';
import { reasonOf } from '../../core/base/failure.ts';
import { HELD_CHAIN, writeHandOver, writeSteerTable } from '../../core/codec/nft-steer.ts';
import type { SteerTable } from '../../core/model/act-packets.ts';
import { Nft } from '../linux/nft.ts';
import { TRIAL_TABLE } from '../linux/trial-table.ts';
import { libc } from './libc.ts';
import { PacketQueue } from './packet-queue.ts';
import { addQueueRule } from './queue-rule.ts';

const CLONE_NEWNET = 0x40000000;
const QUEUE = 16_384;
const TRIAL_MS = 10_000;

const TRIAL: SteerTable = { ...TRIAL_TABLE, requestsLate: true };

interface Found {
  met: boolean;
  why: string;
}

/** Makes a table and binds a queue in a network namespace of this thread's own. */
async function tryHere(scratchDir: string): Promise<Found> {
  if (libc.unshare(CLONE_NEWNET) !== 0) return { met: false, why: 'unshare: not allowed' };
  const nft = new Nft(scratchDir);
  const table = await nft.run(writeSteerTable(TRIAL), false);
  if (!table.ok) return { met: false, why: table.error.trim() };
  const own = await nft.run(writeHandOver(TRIAL.table, QUEUE), false);
  const error = own.ok ? undefined : addQueueRule(TRIAL.table, HELD_CHAIN, QUEUE);
  if (error !== undefined) return { met: false, why: `neither nft queue nor NFQUEUE: ${error}` };
  new PacketQueue({ queue: QUEUE, copyBytes: 0, length: 100, merged: true }).close();
  return { met: true, why: `through ${own.ok ? "nft's own queue" : 'the target NFQUEUE'}` };
}

/** Whether packets can be handed to a process here, found out in a thread that leaves nothing. */
export function tryPacketQueue(scratchDir: string): Promise<Found> {
  return new Promise((resolve) => {
    const thread = new Worker(import.meta.filename, { workerData: { scratchDir, trial: true } });
    const end = (found: Found): void => {
      clearTimeout(timer);
      resolve(found);
      void thread.terminate();
    };
    const timer = setTimeout(
      () => end({ met: false, why: `no answer in ${TRIAL_MS} ms` }),
      TRIAL_MS,
    );
    thread.once('message', end);
    thread.once('error', (error) => end({ met: false, why: reasonOf(error) }));
  });
}

const data = workerData as { scratchDir: string; trial?: boolean } | null;
if (parentPort && data?.trial === true) {
  const port = parentPort;
  const say = (found: Found): void => port.postMessage(found);
  await tryHere(data.scratchDir).then(say, (error: unknown) =>
    say({ met: false, why: reasonOf(error) }),
  );
}
