import { createServer } from 'node:net';
import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { Worker } from 'node:worker_threads';
import { COUNT, makeCounters, type Counters } from './counters.ts';
import type { PacketWork } from './packet-loop.ts';
import type { PacketThreadData, PacketThreadWord } from './thread.ts';

/** What a packet process is started with, as one JSON argument after its token. */
export interface PacketProcess extends PacketWork {
  token: string;
  faultId: string;
  /** Ends by itself when no SIGCONT has come for so long. */
  timeoutMs: number;
  priority: number;
}

/** Exit codes that tell the starter why it does not serve. */
export const EXIT_TAKEN = 3;
const LOOK_MS = 200;

/** In a packet process's environment, which only its own user and root may read (proc_pid_environ(5)). */
export const SECRET = 'FAULTLINE_PACKETS_SECRET';

/**
 * An abstract Unix socket: it belongs to the network namespace, as the queue does (unix(7)). Any user may
 * take such a name, so nobody else can know it before we have.
 */
export const countersAddress = (token: string, secret = ''): string =>
  `\0${token}-packets-${secret}`;

/** Whoever connects is told the counters, and can change nothing. */
function showCounters(token: string, counters: Counters): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(JSON.stringify([...counters]));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(countersAddress(token, process.env[SECRET]), resolve);
    server.unref();
  });
}

/**
 * The packet process. SIGCONT renews its time, because one that comes too early harms nobody; SIGTERM
 * lets everything pass that is held, and ends it.
 * @returns its exit code.
 */
export async function servePackets(options: PacketProcess, ready: () => void): Promise<number> {
  const { token, timeoutMs, priority, faultId: _faultId, ...work } = options;
  const counters = makeCounters();
  const data: PacketThreadData = { work, counters, priority };
  const thread = new Worker(join(import.meta.dirname, 'thread.ts'), { workerData: data });
  const ended = new Promise<number>((resolve) => thread.once('exit', resolve));
  const word = await new Promise<PacketThreadWord>((resolve) => {
    thread.once('message', resolve);
    thread.once('error', (error) => resolve({ error: String(error) }));
  });
  if (word === 'taken') return EXIT_TAKEN;
  if (word !== 'ready') {
    process.stderr.write(`packets: ${word.error}\n`);
    return 1;
  }
  await showCounters(token, counters);
  let endsAt = performance.now() + timeoutMs;
  process.on('SIGCONT', () => {
    endsAt = performance.now() + timeoutMs;
  });
  const stop = (): void => {
    counters[COUNT.stop] = 1;
  };
  process.on('SIGTERM', stop);
  setInterval(() => {
    if (performance.now() >= endsAt) stop();
  }, LOOK_MS).unref();
  ready();
  return ended;
}
