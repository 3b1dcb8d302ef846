import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cpuUs } from './cpu.ts';
import type { Subject } from './subjects.ts';

/** One round of one subject: a figure a row. Rows whose name ends with '/s' are better when larger. */
export type Row = Record<string, number>;

const FILES = 2000;
const NAMED = ['create', 'open', 'rename', 'unlink', 'stat, first'];

interface FioSide {
  bw_bytes: number;
  total_ios: number;
  runtime: number;
  clat_ns: { percentile?: Record<string, number> };
}

interface FioJob {
  read: FioSide;
  write: FioSide;
}

function fio(directory: string, given: Record<string, string | number>): FioJob {
  const options = Object.entries({
    name: 'fio',
    directory,
    ioengine: 'psync',
    'output-format': 'json',
    fallocate: 'none',
    ...given,
  }).map(([key, value]) => `--${key}=${value}`);
  const text = execFileSync('fio', options, {
    encoding: 'utf8',
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { jobs } = JSON.parse(text.slice(text.indexOf('{'))) as { jobs: FioJob[] };
  if (jobs[0] === undefined) throw new Error('fio measured nothing');
  return jobs[0];
}

const MIB = 1 << 20;

/** A row of throughput, and what the server spent on one operation. */
function stream(
  subject: Subject,
  row: Row,
  name: string,
  given: Record<string, string | number>,
): void {
  const before = cpuUs(subject.pid);
  const { read, write } = fio(join(subject.path, subject.round), given);
  const side = read.total_ios > 0 ? read : write;
  row[`${name} MiB/s`] = side.bw_bytes / MIB;
  row[`${name} CPU us/op`] = (cpuUs(subject.pid) - before) / side.total_ios;
}

/** Data on memory: the worst case for whoever stands between. */
function data(subject: Subject, row: Row): void {
  stream(subject, row, 'write 64K', { filename: 'a', rw: 'write', bs: '64k', size: '128m' });
  stream(subject, row, 'write 1M', { filename: 'b', rw: 'write', bs: '1m', size: '256m' });
  const cold = { filename: 'b', rw: 'read', bs: '1m', size: '256m', invalidate: 1 };
  stream(subject, row, 'read cold', cold);
  const cached = { filename: 'b', rw: 'read', bs: '64k', size: '256m', invalidate: 0, loops: 3 };
  stream(subject, row, 'read cached', cached);
  const before = cpuUs(subject.pid);
  const at = join(subject.path, subject.round);
  const { write } = fio(at, { filename: 'c', rw: 'write', bs: '4k', size: '48m' });
  const { percentile = {} } = write.clat_ns;
  for (const [name, share] of [
    ['p50', '50.000000'],
    ['p99', '99.000000'],
    ['p99.9', '99.900000'],
  ] as const) {
    row[`write 4K ${name} us`] = (percentile[share] ?? 0) / 1000;
  }
  row['write 4K CPU us/op'] = (cpuUs(subject.pid) - before) / write.total_ios;
}

/** What a program spends on a file that does each operation on names once, with `unit` in its rows. */
export function addProgram(row: Row, unit: string): void {
  for (const figure of [unit, 'CPU us/op']) {
    const parts = NAMED.map((operation) => row[`${operation} ${figure}`] ?? Number.NaN);
    row[`all names ${figure}`] = parts.reduce((sum, part) => sum + part);
  }
}

/** Names: each operation on as many files, one after the other. */
function names(subject: Subject, row: Row): void {
  const at = join(subject.path, subject.round);
  const each = (name: string, act: (path: string) => void): void => {
    const before = cpuUs(subject.pid);
    const from = process.hrtime.bigint();
    for (let index = 0; index < FILES; index++) act(join(at, `f${index}`));
    row[`${name} us`] = Number(process.hrtime.bigint() - from) / 1000 / FILES;
    row[`${name} CPU us/op`] = (cpuUs(subject.pid) - before) / FILES;
  };
  each('create', (path) => closeSync(openSync(path, 'w')));
  each('open', (path) => closeSync(openSync(path, 'r')));
  // The kernel has been told of these just now, and answers by itself.
  each('stat, known', (path) => statSync(path));
  each('rename', (path) => renameSync(path, `${path}r`));
  each('unlink', (path) => unlinkSync(`${path}r`));
  // It has never heard of these: made behind the server's back, asked for the first time.
  for (let index = 0; index < FILES; index++) {
    writeFileSync(join(subject.target, subject.round, `f${index}new`), '');
  }
  each('stat, first', (path) => statSync(`${path}new`));
  addProgram(row, 'us');
}

export function measure(subject: Subject): Row {
  const at = startRound(subject);
  const row: Row = {};
  data(subject, row);
  names(subject, row);
  rmSync(at, { recursive: true });
  return row;
}

function startRound(subject: Subject): string {
  subject.round = `round-${process.hrtime.bigint()}`;
  const at = join(subject.path, subject.round);
  mkdirSync(at);
  return at;
}

/** On a real disk: what an fsync costs beside the disk's own. */
export function measureSync(subject: Subject): Row {
  const at = startRound(subject);
  const job = { filename: 's', rw: 'randwrite', bs: '4k', size: '8m', fsync: 1 };
  const { write } = fio(at, { ...job, number_ios: 400 });
  rmSync(at, { recursive: true });
  return { 'write 4K + fsync ops/s': (write.total_ios * 1000) / write.runtime };
}
