import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/core/base/random.ts';
import { ROOT } from '../test/support/needs.ts';
import { Broker } from './disk/broker.ts';
import { openResults, readResults, saveResults, type DiskResults } from './disk/results.ts';
import { measure, measureSync, type Row } from './disk/rows.ts';
import { awake, NAMES, putToSleep, startSubject, wake } from './disk/subjects.ts';
import type { Subject, SubjectName } from './disk/subjects.ts';
import { allowedCpus, measureTurns, stayOn } from './disk/turns.ts';
import { diskTables } from './disk/table.ts';

/**
 * `bench/disk.ts [--rounds 12] [--only files|one-cpu|sync|broker] [--out FILE] [--resume] [--table]
 * [--json]`: the file system against the plain directory and, where PASSTHROUGH_LL_BIN and KIBOSH_BIN
 * name their binaries, against these. Each round measures all of them in a drawn order; what is
 * compared is the ratio within a round; the first rounds warm up and don't count. Each round is saved
 * at once: after Ctrl-C or a crash the same command with --resume goes on. --table only prints what
 * was saved. Needs fio; the broker part needs java and Kafka.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '12' },
    only: { type: 'string' },
    out: { type: 'string', default: join(ROOT, 'bench/results/disk.json') },
    resume: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const SEED = 1;
const rounds = Number(values.rounds);
/** A broker on what only a rule sets apart says nothing new. */
const ON_BROKERS: readonly SubjectName[] = ['plain', 'faultline', 'kibosh'];
const WITHOUT_RULES = NAMES.filter((name) => !name.includes(','));

// Mounts and brokers are not left behind: the measurement that runs is the last.
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.abort());

const say = (line: string): void => console.error(line);

type Run = () => Row | Promise<Row>;

interface Plan {
  part: string;
  under: string;
  names: readonly SubjectName[];
  /** Rounds before the first that counts: who compiles what he runs has compiled it by then. */
  warmUps: number;
  /** What a round of a subject is; undefined where it can't be measured here. */
  prepare?(subject: Subject, index: number): Promise<Run | undefined>;
  /** A round of all of them together, on one CPU. */
  together?(subjects: readonly Subject[], seed: number): Map<string, Row>;
}

async function measurePart(results: DiskResults, plan: Plan): Promise<void> {
  const { part, under, names } = plan;
  const kept = (results.parts[part] ??= { under, rows: {} });
  const loads = (results.load[part] ??= []);
  const done = (): number =>
    Math.min(...Object.values(kept.rows).map((rows) => rows.length), loads.length);
  if (done() >= rounds) return;
  const subjects: Subject[] = [];
  const runs = new Map<string, Run>();
  const cpus = allowedCpus();
  if (plan.together) stayOn(cpus.at(-1) ?? '0');
  try {
    for (const [index, name] of names.entries()) {
      if (stopped.signal.aborted) return;
      const subject = await startSubject(name, under);
      if (subject === undefined) continue;
      subjects.push(subject);
      const run = await plan.prepare?.(subject, index);
      if (run !== undefined) runs.set(name, run);
      // In this order the columns of the table come.
      if (run !== undefined || plan.together) kept.rows[name] ??= [];
      putToSleep(subject);
    }
    const counted = done();
    for (let round = counted - plan.warmUps; round < rounds && !stopped.signal.aborted; round++) {
      const startedAt = performance.now();
      const load = loadavg()[0] ?? 0;
      const seed = SEED + Math.max(0, round);
      const rows = plan.together?.(subjects, seed) ?? (await measureRound(seed, runs));
      if (rows === undefined) return;
      if (round < counted) continue;
      for (const [name, row] of rows) (kept.rows[name] ??= []).push(row);
      loads.push(load);
      saveResults(values.out, results);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
      say(`${part}: round ${round + 1} of ${rounds}, ${seconds} s (load ${load.toFixed(1)})`);
    }
  } finally {
    stayOn(cpus.join(','));
    // One that can't be closed does not keep the others.
    const closed = await Promise.allSettled(subjects.map((subject) => subject.close()));
    for (const each of closed) if (each.status === 'rejected') say(String(each.reason));
  }
}

/** @returns undefined where it was stopped before its end: half a round compares nothing. */
async function measureRound(
  seed: number,
  runs: ReadonlyMap<string, Run>,
): Promise<Map<string, Row> | undefined> {
  const rows = new Map<string, Row>();
  for (const name of new Random(seed).shuffle([...runs.keys()])) {
    // A signal is heard only between two measurements, which block.
    await new Promise((resolve) => setImmediate(resolve));
    if (stopped.signal.aborted) return undefined;
    const row = await runs.get(name)?.();
    if (row !== undefined) rows.set(name, row);
  }
  return rows;
}

const onFiles = (act: (subject: Subject) => Row): Plan['prepare'] => {
  return (subject) => Promise.resolve(() => awake(subject, () => act(subject)));
};

async function onBroker(subject: Subject, index: number): Promise<Run | undefined> {
  const broker = await Broker.start(subject, index);
  if (broker === undefined) return undefined;
  // It can't live while its disk sleeps.
  if (subject.sleepers.length > 0) subject.sleepers.push(broker.pid);
  const close = subject.close.bind(subject);
  subject.close = async () => {
    wake(subject);
    await broker.stop();
    await close();
  };
  // The first topic pays for classes that are loaded once.
  await broker.measure();
  return () => awake(subject, () => broker.measure());
}

const PLANS: readonly Plan[] = [
  { part: 'files', warmUps: 5, under: '/dev/shm', names: NAMES, prepare: onFiles(measure) },
  { part: 'one-cpu', warmUps: 5, under: '/dev/shm', names: NAMES, together: measureTurns },
  { part: 'sync', warmUps: 1, under: '/tmp', names: WITHOUT_RULES, prepare: onFiles(measureSync) },
  { part: 'broker', warmUps: 0, under: '/dev/shm', names: ON_BROKERS, prepare: onBroker },
];

async function main(): Promise<void> {
  if (values.table) return console.log(diskTables(readResults(values.out)));
  const at = new Date().toISOString();
  const fresh: DiskResults = { at, rounds, seed: SEED, load: {}, parts: {} };
  const results = openResults(values.out, fresh, values.resume);
  for (const plan of PLANS) {
    if (stopped.signal.aborted) break;
    if (values.only === undefined || values.only === plan.part) await measurePart(results, plan);
  }
  console.log(values.json ? JSON.stringify(results) : diskTables(results));
}

await main();
