import { parseArgs } from 'node:util';
import { Random } from '../src/core/base/random.ts';
import { Broker } from './disk/broker.ts';
import { median, pairedRatio, type Ratio } from './disk/ratio.ts';
import { measure, measureSync, type Row } from './disk/rows.ts';
import { awake, NAMES, startSubject, type Subject } from './disk/subjects.ts';

/**
 * `bench/disk.ts [--rounds 12] [--only files|sync|broker] [--json]`: the file system against the plain
 * directory and, where PASSTHROUGH_LL_BIN and KIBOSH_BIN name their binaries, against these. Each
 * round measures all of them in a drawn order; what is compared is the ratio within a round. Needs fio.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '12' },
    only: { type: 'string' },
    json: { type: 'boolean' },
    resume: { type: 'boolean' },
  },
});
const SEED = 1;
const BASE = 'faultline';
/** A broker on what only a rule sets apart says nothing new. */
const ON_BROKERS = ['plain', 'faultline', 'kibosh'];

interface Measured {
  part: string;
  under: string;
  rows: Record<string, Row[]>;
}

// Mounts and brokers are not left behind: the round that runs is the last.
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.abort());

const say = (line: string): void => console.error(line);

async function measurePart(
  part: string,
  under: string,
  names: readonly (typeof NAMES)[number][],
  prepare: (subject: Subject, index: number) => Promise<(() => Row | Promise<Row>) | undefined>,
): Promise<Measured> {
  const random = new Random(SEED);
  const subjects: Subject[] = [];
  const rows: Record<string, Row[]> = {};
  const runs = new Map<string, () => Row | Promise<Row>>();
  try {
    for (const [index, name] of names.entries()) {
      const subject = await startSubject(name, under);
      if (subject === undefined) continue;
      subjects.push(subject);
      if (subject.sleeps && part !== 'broker') process.kill(subject.pid, 'SIGSTOP');
      const run = await prepare(subject, index);
      if (run !== undefined) runs.set(name, run);
    }
    for (let round = 0; round < Number(values.rounds) && !stopped.signal.aborted; round++) {
      for (const name of random.shuffle([...runs.keys()])) {
        const row = await runs.get(name)?.();
        if (row !== undefined) (rows[name] ??= []).push(row);
      }
      say(`${part}: round ${round + 1} of ${values.rounds}`);
    }
  } finally {
    for (const subject of subjects) await subject.close();
  }
  return { part, under, rows };
}

async function measureBrokers(): Promise<Measured> {
  const brokers: Broker[] = [];
  const names = NAMES.filter((name) => ON_BROKERS.includes(name));
  const stop = async (): Promise<void> => {
    for (const broker of brokers.splice(0)) await broker.stop();
  };
  try {
    return await measurePart('broker', '/dev/shm', names, async (subject, index) => {
      const broker = await Broker.start(subject, index);
      if (broker === undefined) return undefined;
      brokers.push(broker);
      const close = subject.close.bind(subject);
      subject.close = async () => {
        await stop();
        await close();
      };
      // The first topic pays for classes that are loaded once.
      await broker.measure();
      return () => broker.measure();
    });
  } finally {
    await stop();
  }
}

function interval({ ratio, low, high }: Ratio): string {
  return `${ratio.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

/** Medians, and how often faultline's is another's: the ratio within a round and its 95 % interval. */
function report({ part, under, rows }: Measured, print: (line: string) => void): void {
  const base = rows[BASE] ?? [];
  const others = Object.keys(rows).filter((name) => name !== BASE);
  print(`\n${part}, on ${under}, ${base.length} rounds: median; in () faultline's share of it\n`);
  print(`| row | ${BASE} | ${others.join(' | ')} |`);
  print(`|---|---|${others.map(() => '---|').join('')}`);
  for (const key of Object.keys(base[0] ?? {})) {
    const ours = base.map((row) => row[key] ?? 0);
    const cells = others.map((name) => {
      const theirs = (rows[name] ?? []).map((row) => row[key] ?? 0);
      if (theirs.every((value) => value === 0)) return '-';
      const ratio = pairedRatio(ours, theirs);
      // Of nothing there is no ratio: less CPU than the clock of processes can tell.
      const share = Number.isNaN(ratio.ratio) ? '' : ` (${interval(ratio)})`;
      return `${median(theirs).toPrecision(3)}${share}`;
    });
    print(`| ${key} | ${median(ours).toPrecision(3)} | ${cells.join(' | ')} |`);
  }
}

const wants = (part: string): boolean => values.only === undefined || values.only === part;
const withoutRules = NAMES.filter((name) => !name.includes(','));
const results: Measured[] = [];
if (wants('files')) {
  const files = (subject: Subject) => Promise.resolve(() => awake(subject, () => measure(subject)));
  results.push(await measurePart('files', '/dev/shm', NAMES, files));
}
if (wants('sync')) {
  const sync = (subject: Subject) =>
    Promise.resolve(() => awake(subject, () => measureSync(subject)));
  results.push(await measurePart('sync', '/tmp', withoutRules, sync));
}
if (wants('broker')) results.push(await measureBrokers());
const isJson = values.json === true;
for (const result of results) report(result, isJson ? say : (line) => console.log(line));
if (isJson) console.log(JSON.stringify(results));
