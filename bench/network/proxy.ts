import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/host/lab/daemons.ts';
import { ticksPerSecond } from '../../src/host/linux/libc.ts';
import { seeProcess } from '../../src/host/linux/processes.ts';
import { exchange, fetch, heartbeat, produce } from './traffic.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TOXIPROXY = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0';
const ROUNDS = 5;
const PRODUCE_BYTES = 256 * 1024;
const PRODUCES = 2_000;
const FETCHES = 500;
const FETCHED_BYTES = 1 << 20;
const PINGS = 4_000;

type Way = 'direct' | 'faultline' | 'faultline, a rule reads every Produce' | 'toxiproxy';

const FIELDS = [
  'produceGbits',
  'fetchGbits',
  'p50Ms',
  'p99Ms',
  'cpuMsPerGb',
  'fetchCpuMsPerGb',
] as const;

interface Round {
  produceGbits: number;
  fetchGbits: number;
  p50Ms: number;
  p99Ms: number;
  /** CPU time of the proxy for a gigabyte of Produce, ms. */
  cpuMsPerGb: number;
  /** The same of Fetch. */
  fetchCpuMsPerGb: number;
}

/** A way to the stand-in. */
interface Open {
  port: number;
  /** Of the proxy; undefined without one. */
  pid: number | undefined;
}

/** Built once, into the cache. */
function toxiproxy(): string {
  const bin = join(process.env['FAULTLINE_CACHE'] ?? join(ROOT, '.cache'), 'toxiproxy');
  const server = join(bin, 'server');
  if (!existsSync(server)) {
    const env = { ...process.env, GOBIN: bin };
    execFileSync('go', ['install', TOXIPROXY], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return server;
}

/** Starts a program and waits until its port takes connections. */
async function started(argv: string[], port: number, children: ChildProcess[]) {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, { stdio: 'ignore' });
  children.push(child);
  for (let tries = 0; !(await takesConnections(port)); tries++) {
    if (tries > 400) throw new Error(`${argv.join(' ')} does not listen at ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return child.pid;
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** The proxies, each in front of the same stand-in. @returns the port of each way. */
async function open(children: ChildProcess[], directory: string): Promise<Map<Way, Open>> {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
  const [sink = 0, plain = 0, ruled = 0, toxic = 0, api = 0] = await Promise.all(
    Array.from({ length: 5 }, () => freePort()),
  );
  const sinkScript = join(import.meta.dirname, 'kafka-sink.ts');
  await started([...node, sinkScript, String(sink)], sink, children);
  const pids: (number | undefined)[] = [];
  const rules = join(directory, 'rules.yaml');
  writeFileSync(rules, '- { apiKey: Produce, topic: another, duplicate: true }\n');
  for (const [port, more] of [
    [plain, []],
    [ruled, ['--rules', rules]],
  ] as const) {
    const where = ['--listen', `127.0.0.1:${port}`, '--bootstrap', `127.0.0.1:${sink}`];
    const argv = [...node, join(ROOT, 'src/bin/faultline.ts'), 'proxy', ...where, ...more];
    pids.push(await started(argv, port, children));
  }
  const pid = await started([toxiproxy(), '-port', String(api)], api, children);
  const proxy = { name: 'bench', listen: `127.0.0.1:${toxic}`, upstream: `127.0.0.1:${sink}` };
  const body = JSON.stringify(proxy);
  const made = await globalThis.fetch(`http://127.0.0.1:${api}/proxies`, { method: 'POST', body });
  if (!made.ok) throw new Error(`toxiproxy: ${await made.text()}`);
  return new Map<Way, Open>([
    ['direct', { port: sink, pid: undefined }],
    ['faultline', { port: plain, pid: pids[0] }],
    ['faultline, a rule reads every Produce', { port: ruled, pid: pids[1] }],
    ['toxiproxy', { port: toxic, pid }],
  ]);
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

/** CPU time of a process so far, ms. */
function cpuMs(pid: number | undefined): number {
  const ticks = pid === undefined ? 0 : (seeProcess(pid)?.stat.cpuTicks ?? 0);
  return (ticks * 1000) / ticksPerSecond();
}

async function measure({ port, pid }: Open): Promise<Round> {
  const cpuBefore = cpuMs(pid);
  const sent = await exchange(port, produce(PRODUCE_BYTES), PRODUCES);
  const cpuBetween = cpuMs(pid);
  const read = await exchange(port, fetch, FETCHES);
  const cpuAfter = cpuMs(pid);
  const pings = (await exchange(port, heartbeat, PINGS, 1)).each.sort((a, b) => a - b);
  return {
    produceGbits: rounded((PRODUCES * PRODUCE_BYTES * 8) / sent.ms / 1e6),
    fetchGbits: rounded((FETCHES * FETCHED_BYTES * 8) / read.ms / 1e6),
    p50Ms: rounded(quantile(pings, 0.5)),
    p99Ms: rounded(quantile(pings, 0.99)),
    cpuMsPerGb: Math.round((cpuBetween - cpuBefore) / ((PRODUCES * PRODUCE_BYTES) / 1e9)),
    fetchCpuMsPerGb: Math.round((cpuAfter - cpuBetween) / ((FETCHES * FETCHED_BYTES) / 1e9)),
  };
}

/** Median of the rounds, with the least and the greatest. */
function summary(rounds: readonly Round[]): Record<string, [median: number, ...range: number[]]> {
  return Object.fromEntries(
    FIELDS.map((field) => {
      const values = rounds.map((round) => round[field]).sort((a, b) => a - b);
      return [field, [quantile(values, 0.5), values[0] ?? 0, values.at(-1) ?? 0]];
    }),
  );
}

/** The proxy of kafka.request against Toxiproxy and no proxy at all: all in turn, round by round. */
export async function benchProxy(): Promise<object> {
  const children: ChildProcess[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  try {
    const ways = await open(children, directory);
    const rounds = new Map<Way, Round[]>([...ways.keys()].map((way) => [way, []]));
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [way, opened] of ways) {
        const measured = await measure(opened);
        // The first warms up.
        if (round > 0) rounds.get(way)?.push(measured);
      }
    }
    const result = Object.fromEntries([...rounds].map(([way, all]) => [way, summary(all)]));
    return { rounds: ROUNDS, toxiproxy: TOXIPROXY, medianLeastGreatest: result };
  } finally {
    for (const child of children) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    rmSync(directory, { recursive: true });
  }
}
