import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKET_FLAGS } from '../../src/host/nfqueue/process.ts';
import { Random } from '../../src/core/base/random.ts';
import { TestNetwork, type TestNode } from '../../test/support/netns.ts';

/**
 * The packet process against a C consumer of the same queue (NFQUEUE_C_BIN QUEUE DELAY_US, which says
 * 'ready'), one way over a veth pair, with and without SCHED_FIFO. Sender and receiver are always under
 * SCHED_FIFO: what is measured is the consumer. Subjects take turns in a shuffled order.
 */
const ROOT = join(import.meta.dirname, '..', '..');
const C_CONSUMER = process.env['NFQUEUE_C_BIN'];
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const QUEUE = 900;
const PORT = 9092;
const TICK_MS = 10;

interface Subject {
  name: string;
  /** Undefined: no queue at all. */
  start?: (delayUs: number) => readonly string[];
}

const ours = (priority: number) => (delayUs: number) => {
  const none = { numerator: 0, denominator: 1 };
  const delay = { latencyUs: delayUs, jitterUs: 0, distribution: 'uniform', correlation: none };
  const shape = delayUs === 0 ? {} : { delay };
  const work = { queue: QUEUE, shape, seed: 1, peers: [], timeoutMs: 60_000, priority };
  const options = JSON.stringify({ ...work, faultId: 'bench' });
  const bin = join(ROOT, 'src', 'bin', 'packets.ts');
  return [process.execPath, ...PACKET_FLAGS, bin, '--token', 'faultline-bench', options];
};

const SUBJECTS: Subject[] = [
  { name: 'none' },
  { name: 'faultline, FIFO', start: ours(10) },
  { name: 'faultline', start: ours(0) },
  ...(C_CONSUMER === undefined
    ? []
    : [
        {
          name: 'C, FIFO',
          start: (us: number) => ['chrt', '-f', '10', C_CONSUMER, String(QUEUE), String(us)],
        },
        { name: 'C', start: (us: number) => [C_CONSUMER, String(QUEUE), String(us)] },
      ]),
];

interface Case {
  name: string;
  delayUs: number;
  count: number;
  perSecond: number;
}

const CASES: Case[] = [
  { name: '10 ms, 20,000/s', delayUs: 10_000, count: 40_000, perSecond: 20_000 },
  { name: '50 ms, 20,000/s', delayUs: 50_000, count: 40_000, perSecond: 20_000 },
  { name: '10 ms, 50,000/s', delayUs: 10_000, count: 100_000, perSecond: 50_000 },
  { name: 'no delay, flood', delayUs: 0, count: 200_000, perSecond: 0 },
];

type Row = Record<string, number>;

/** Lines of a child, one after the other. */
function lines(child: ChildProcess): () => Promise<string> {
  let [text, ended] = ['', false];
  let wake = (): void => {};
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    wake();
  });
  child.once('close', () => {
    ended = true;
    wake();
  });
  return async () => {
    while (!text.includes('\n')) {
      if (ended) throw new Error(`a program of the benchmark ended: ${child.spawnargs.join(' ')}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const line = text.slice(0, text.indexOf('\n'));
    text = text.slice(line.length + 1);
    return line;
  };
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function inside(node: TestNode, argv: readonly string[]): ChildProcess {
  return spawn('ip', ['netns', 'exec', node.namespace, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Killed, and gone: its queue is the next one's. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

async function measure(network: TestNetwork, subject: Subject, each: Case): Promise<Row> {
  const [from, to] = network.nodes as [TestNode, TestNode];
  const rule = ['INPUT', '-p', 'udp', '-j', 'NFQUEUE', '--queue-num', String(QUEUE)];
  const consumer = subject.start && inside(to, subject.start(each.delayUs));
  let ruled = false;
  try {
    if (consumer) {
      await lines(consumer)();
      network.run(to, ['iptables', '-A', ...rule, '--queue-bypass']);
      ruled = true;
    }
    const script = join(ROOT, 'bench', 'network', 'datagrams.ts');
    const measured = (node: TestNode, ...args: (string | number)[]): ChildProcess =>
      inside(node, ['chrt', '-f', '20', process.execPath, script, ...args.map(String)]);
    const receiver = measured(to, 'receive', PORT);
    const received = lines(receiver);
    await received();
    const before = consumer?.pid === undefined ? 0 : cpuMs(consumer.pid);
    const sender = measured(from, 'send', to.address, PORT, each.count, each.perSecond);
    const sent = JSON.parse(await lines(sender)()) as Row;
    const got = JSON.parse(await received()) as Row;
    const cpu = consumer?.pid === undefined ? 0 : cpuMs(consumer.pid) - before;
    const { p50 = 0, p99 = 0, p999 = 0, received: count = 0, perSecond = 0 } = got;
    return {
      p50,
      p99,
      p999,
      lost: (sent['sent'] ?? 0) - count,
      sentPerSecond: sent['perSecond'] ?? 0,
      perSecond,
      cpuUsPerPacket: (cpu * 1000) / Math.max(1, count),
    };
  } finally {
    if (consumer) await end(consumer);
    if (ruled) network.run(to, ['iptables', '-D', ...rule, '--queue-bypass']);
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 1000) / 1000;
}

/** Medians of all rounds, by case and subject; latencies in ms, one way. */
export async function benchPackets(): Promise<object> {
  const network = new TestNetwork('flbpk', 2, 61);
  const random = new Random(1);
  const rows = new Map<string, Row[]>();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const each of CASES) {
        for (const subject of random.shuffle(SUBJECTS)) {
          const key = `${each.name}: ${subject.name}`;
          rows.set(key, [...(rows.get(key) ?? []), await measure(network, subject, each)]);
        }
      }
    }
  } finally {
    network.close();
  }
  const table = CASES.flatMap((each) => SUBJECTS.map(({ name }) => `${each.name}: ${name}`)).map(
    (key) => {
      const all = rows.get(key) ?? [];
      const fields = Object.keys(all[0] ?? {});
      const medians = fields.map((field) => [field, median(all.map((row) => row[field] ?? 0))]);
      return [key, Object.fromEntries(medians) as Row] as const;
    },
  );
  return { rounds: ROUNDS, ...Object.fromEntries(table) };
}
