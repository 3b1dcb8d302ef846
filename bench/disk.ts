import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
} from 'node:fs';
import { renameSync, rmSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../src/core/base/random.ts';
import { DiskMount } from '../test/support/disk-mount.ts';
import { until } from '../test/support/until.ts';
import type { DiskSpecification } from '../src/core/disk/specification.ts';

/**
 * The file system against the plain directory and, where PASSTHROUGH_LL_BIN and KIBOSH_BIN name them,
 * against these: `node bench/disk.ts [ROUNDS] [BACKING]`. Rounds are shuffled and ratios paired.
 */
const ROUNDS = Number(process.argv[2] ?? 5);
const UNDER = process.argv[3] ?? '/dev/shm';
const MIB = 1 << 20;
const random = new Random(1);

interface Subject {
  name: string;
  path: string;
  /** The serving process; 0 for the plain directory. */
  pid: number;
  close(): Promise<void>;
}

type Row = Record<string, number>;

function microseconds(act: () => void): number {
  const from = process.hrtime.bigint();
  act();
  return Number(process.hrtime.bigint() - from) / 1000;
}

function each(count: number, act: (index: number) => void): number {
  return (
    microseconds(() => {
      for (let index = 0; index < count; index++) act(index);
    }) / count
  );
}

/** User and system time of a process, in milliseconds. */
function cpuMs(pid: number): number {
  if (pid === 0) return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function measure(subject: Subject): Row {
  const at = join(subject.path, `round-${process.hrtime.bigint()}`);
  mkdirSync(at);
  const row: Row = {};
  const startedCpu = cpuMs(subject.pid);
  for (const [name, size] of [
    ['write64K', 65_536],
    ['write1M', MIB],
  ] as const) {
    const bytes = Buffer.alloc(size, 7);
    const fd = openSync(join(at, name), 'w');
    row[`${name} MiB/s`] =
      size / MIB / (each((256 * MIB) / size, () => writeSync(fd, bytes)) / 1e6);
    closeSync(fd);
  }
  const into = Buffer.alloc(MIB);
  const fd = openSync(join(at, 'write1M'), 'r');
  // The first read finds what was just written in the cache; 'cold' is after the kernel dropped it.
  execFileSync(
    'dd',
    [`of=${join(at, 'write1M')}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'],
    { stdio: 'ignore' },
  );
  row['read cold MiB/s'] =
    1 / (each(256, (index) => readSync(fd, into, 0, MIB, index * MIB)) / 1e6);
  row['read cached MiB/s'] =
    1 / (each(256, (index) => readSync(fd, into, 0, MIB, index * MIB)) / 1e6);
  closeSync(fd);
  const small = Buffer.alloc(4096, 1);
  const log = openSync(join(at, 'log'), 'w');
  const taken = Array.from({ length: 8000 }, () => microseconds(() => writeSync(log, small)));
  taken.sort((a, b) => a - b);
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
    ['p99.9', 0.999],
  ] as const) {
    row[`write4K ${name} us`] = taken[Math.floor(taken.length * share)] ?? 0;
  }
  row['write4K+fsync us'] = each(200, () => {
    writeSync(log, small);
    fsyncSync(log);
  });
  closeSync(log);
  const file = (index: number): string => join(at, `f${index}`);
  row['create us'] = each(3000, (index) => closeSync(openSync(file(index), 'w')));
  row['stat us'] = each(3000, (index) => statSync(file(index)));
  row['rename us'] = each(3000, (index) => renameSync(file(index), `${file(index)}r`));
  row['unlink us'] = each(3000, (index) => unlinkSync(`${file(index)}r`));
  row['daemon CPU ms'] = cpuMs(subject.pid) - startedCpu;
  rmSync(at, { recursive: true });
  return row;
}

async function ours(name: string, specification?: DiskSpecification): Promise<Subject> {
  const mount = await DiskMount.start({ under: UNDER });
  if (specification !== undefined) await mount.set(specification);
  return { name, path: mount.path, pid: mount.pid, close: () => mount[Symbol.asyncDispose]() };
}

/** A C file system in the foreground, over a directory of its own. */
async function other(
  name: string,
  argv: (target: string, mount: string) => string[],
): Promise<Subject> {
  const directory = mkdtempSync(join(UNDER, 'faultline-fuse-'));
  const target = join(directory, 'target');
  const path = join(directory, 'mount');
  mkdirSync(target);
  mkdirSync(path);
  const [program = '', ...rest] = argv(target, path);
  const child: ChildProcess = spawn(program, rest, { stdio: 'ignore' });
  const device = statSync(directory).dev;
  await until(`${name} is mounted`, () => statSync(path).dev !== device);
  return {
    name,
    // passthrough_ll shows the whole root unless told a source.
    path,
    pid: child.pid ?? 0,
    close: async () => {
      execFileSync('umount', ['-l', path]);
      child.kill('SIGTERM');
      await until(`${name} ends`, () => child.exitCode !== null || child.signalCode !== null);
      rmSync(directory, { recursive: true });
    },
  };
}

const hundred: DiskSpecification = {
  version: 1,
  faults: Array.from({ length: 100 }, (_, index) => ({
    id: `none-${index}`,
    match: { path: [`nowhere-${index}/**/*.log`], op: ['all'] },
    fault: { kind: 'error', errno: 'EIO' },
  })),
};

const subjects: Subject[] = [];
try {
  const plain = mkdtempSync(join(UNDER, 'faultline-fuse-'));
  const removePlain = (): Promise<void> => Promise.resolve(rmSync(plain, { recursive: true }));
  subjects.push({ name: 'plain', path: plain, pid: 0, close: removePlain });
  subjects.push(await ours('faultline'));
  subjects.push(await ours('faultline, 100 rules', hundred));
  const { PASSTHROUGH_LL_BIN: passthrough, KIBOSH_BIN: kibosh } = process.env;
  if (passthrough !== undefined) {
    const options = (target: string): string => `source=${target},allow_other,default_permissions`;
    subjects.push(
      await other('passthrough_ll', (t, m) => [passthrough, '-f', '-o', options(t), m]),
    );
  }
  if (kibosh !== undefined) {
    subjects.push(
      await other('kibosh', (target, mount) => [kibosh, '-f', '--target', target, mount]),
    );
  }
  const rows = new Map<string, Row[]>(subjects.map((subject) => [subject.name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const subject of random.shuffle(subjects)) rows.get(subject.name)?.push(measure(subject));
  }
  report(rows);
} finally {
  for (const subject of subjects) await subject.close();
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;
}

/** The median of each row, and in brackets the median ratio to faultline of the same round. */
function report(rows: ReadonlyMap<string, Row[]>): void {
  const base = rows.get('faultline') ?? [];
  console.log(`| row | ${[...rows.keys()].join(' | ')} |`);
  console.log(`|---|${[...rows.keys()].map(() => '---|').join('')}`);
  for (const key of Object.keys(base[0] ?? {})) {
    const cells = [...rows.values()].map((measured) => {
      const ratios = measured.map((row, index) => (row[key] ?? 0) / (base[index]?.[key] || 1));
      const median = quantile(
        measured.map((row) => row[key] ?? 0),
        0.5,
      );
      return `${median.toPrecision(3)} (${quantile(ratios, 0.5).toFixed(2)})`;
    });
    console.log(`| ${key} | ${cells.join(' | ')} |`);
  }
}
