import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { fnv1a64 } from '../../core/base/hash.ts';
import type { ProcessRef } from '../../core/model/process-match.ts';
import { markedProcesses, processesOf } from '../linux/marked-processes.ts';
import {
  ENDED,
  readBounded,
  seeProcess,
  sendSignal,
  waitFor,
  type SeenProcess,
} from '../linux/processes.ts';
import type { Start } from '../linux/starts.ts';
import { COUNTS } from './counters.ts';
import { countersAddress, EXIT_TAKEN, SECRET, type PacketProcess } from './serve.ts';

const BIN = join(import.meta.dirname, '../../bin/packets.ts');
const SCRIPT = '/src/bin/packets.ts';
/**
 * V8's own threads do not have the loop's priority: who waits for them to collect or to compile waits like
 * everybody on a busy machine. Without them packets wait while the loop's thread compiles: several ms for
 * what TurboFan makes of a function, a few tenths for Maglev's, which is hardly slower.
 */
export const PACKET_FLAGS = ['--max-semi-space-size=8', '--single-threaded', '--no-turbofan'];
/** Queue numbers of ours: tries begin at a place that the token chooses. */
const FIRST_QUEUE = 16_384;
const QUEUES = 32_768;
const TRIES = 20;
const START_MS = 20_000;
const COUNTERS_MS = 2_000;

export interface FoundProcess {
  seen: SeenProcess;
  options: PacketProcess;
}

function optionsOf(token: string, text = ''): PacketProcess | undefined {
  try {
    return { ...(JSON.parse(text) as PacketProcess), token };
  } catch {
    // Somebody else's idea of our arguments.
    return undefined;
  }
}

/** The packet processes of this network namespace, whose queues they hold. */
export function packetProcesses(): FoundProcess[] {
  return markedProcesses(SCRIPT).flatMap(({ seen, token, rest }) => {
    const options = optionsOf(token, rest[0]);
    return options ? [{ seen, options }] : [];
  });
}

export function packetProcess(token: string): FoundProcess | undefined {
  return packetProcesses().find(({ options }) => options.token === token);
}

/**
 * Starts a packet process that outlives us, unless one with this token runs.
 * @returns the number of its queue. @throws Failure where it can't, or nobody wants it any more.
 */
export async function startPackets(
  start: Start,
  options: Omit<PacketProcess, 'queue'>,
): Promise<number> {
  const running = packetProcess(options.token);
  if (running) return running.options.queue;
  const first = Number(fnv1a64(options.token) % BigInt(QUEUES));
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const queue = FIRST_QUEUE + ((first + attempt) % QUEUES);
    start.check();
    if (await startOn({ ...options, queue })) return queue;
  }
  const message = `${TRIES} packet queues from ${FIRST_QUEUE + first} on are taken`;
  throw new Failure('packets-not-started', message, { definite: true });
}

/** @returns false where the queue is another's. */
async function startOn({ token, ...options }: PacketProcess): Promise<boolean> {
  const argv = ['--disable-warning=ExperimentalWarning', ...PACKET_FLAGS, BIN];
  const child = spawn(process.execPath, [...argv, '--token', token, JSON.stringify(options)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    env: environment(),
  });
  try {
    const word = await firstWord(child);
    if (word === 'ready') return true;
    if (word === EXIT_TAKEN) return false;
    const message = `the packet process could not be started: ${word}`;
    throw new Failure('packets-not-started', message, { definite: true });
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.unref();
  }
}

function environment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'NODE_COMPILE_CACHE', 'NODE_COMPILE_CACHE_PORTABLE'];
  const passed = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  return { ...passed, [SECRET]: randomBytes(16).toString('hex') };
}

/** 'ready', the exit code that says that the queue is taken, or what went wrong. */
function firstWord(child: ChildProcess): Promise<string | number> {
  return new Promise((resolve) => {
    let complaint = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      resolve(`not ready after ${START_MS} ms`);
    }, START_MS);
    const say = (word: string | number): void => {
      clearTimeout(timer);
      resolve(word);
    };
    child.once('error', (cause) => say(reasonOf(cause)));
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = `${complaint}${chunk.toString('utf8')}`.slice(-2000);
    });
    child.stdout?.once('data', () => say('ready'));
    child.once('close', (code) => say(code === EXIT_TAKEN ? code : complaint.trim()));
  });
}

/** Renews its time. @returns false where it has ended. */
export function renewPackets(token: string): boolean {
  const found = packetProcess(token);
  return found !== undefined && sendSignal(found.seen.ref, 'SIGCONT');
}

const GONE = (state: string): boolean => ENDED.includes(state);

const refsOf = (token: string): ProcessRef[] => processesOf(SCRIPT, token).map(({ ref }) => ref);

/** Lets pass what is held and ends the process; kills it where it does not listen. */
export async function endPackets(token: string): Promise<void> {
  listening.delete(token);
  const refs = refsOf(token);
  if (refs.length === 0) return;
  // Stopped, it would hear nothing.
  for (const ref of refs) sendSignal(ref, 'SIGCONT');
  for (const ref of refs) sendSignal(ref, 'SIGTERM');
  try {
    await waitFor(refs, GONE, 'SIGKILL');
  } catch {
    // It does not obey within a few seconds.
    await killPackets(token);
  }
}

/** What it holds is lost: for one that was never steered to, or does not listen. */
export async function killPackets(token: string): Promise<void> {
  listening.delete(token);
  const refs = refsOf(token);
  for (const ref of refs) sendSignal(ref, 'SIGKILL');
  await waitFor(refs, GONE, 'SIGKILL');
}

/** By token: who listens where. Counters are read too often to look through /proc each time. */
const listening = new Map<string, { ref: ProcessRef; address: string }>();

function addressOf(token: string): string | undefined {
  const known = listening.get(token);
  if (known && seeProcess(known.ref.pid)?.ref.birthTicks === known.ref.birthTicks)
    return known.address;
  listening.delete(token);
  const ref = refsOf(token)[0];
  if (!ref) return undefined;
  const environ = readBounded(`/proc/${ref.pid}/environ`) ?? '';
  const entry = environ.split('\0').find((each) => each.startsWith(`${SECRET}=`));
  const address = countersAddress(token, entry?.slice(SECRET.length + 1));
  listening.set(token, { ref, address });
  return address;
}

/** Its counters, by counters.ts; undefined where nobody answers. */
export async function readCounters(token: string): Promise<number[] | undefined> {
  const path = addressOf(token);
  return path === undefined ? undefined : askAt(path);
}

function askAt(path: string): Promise<number[] | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ path });
    socket.setTimeout(COUNTERS_MS, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined); // told below: nothing came
    socket.once('close', () => resolve(readNumbers(text)));
  });
}

function readNumbers(text: string): number[] | undefined {
  try {
    const numbers: unknown = JSON.parse(text);
    return Array.isArray(numbers) && numbers.length === COUNTS ? numbers.map(Number) : undefined;
  } catch {
    // It ended while it answered.
    return undefined;
  }
}
