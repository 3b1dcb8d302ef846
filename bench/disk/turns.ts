import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/core/base/random.ts';
import { cpuUs } from './cpu.ts';
import { median } from './ratio.ts';
import { addProgram, type Row } from './rows.ts';
import { putToSleep, wake, type Subject } from './subjects.ts';

/**
 * Single operations of all subjects in turns of a hundred, caller and servers on one CPU. Where both
 * have a CPU each, most of an operation is waking the other one, which differs by the second (in a
 * virtual machine above all) and hides what a server does.
 */

const FILES = 2000;
const TURN = 100;
const BYTES = Buffer.alloc(4096, 1);

/** Where this process may run (proc_pid_status(5)). */
export function allowedCpus(): string[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
  });
}

/** This process and all it starts from now on stay on one CPU, or are let go again (taskset(1)). */
export function stayOn(cpus: string): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cpus, String(process.pid)], {
    stdio: 'ignore',
  });
}

interface Place {
  subject: Subject;
  directory: string;
  fd: number;
}

type Act = (path: string, place: Place) => void;

/** By subject: a row of this round. */
export function measureTurns(subjects: readonly Subject[], seed: number): Map<string, Row> {
  const random = new Random(seed);
  const rows = new Map<string, Row>(subjects.map((subject) => [subject.name, {}]));
  const places = subjects.map((subject) => awakeNow(subject, () => begin(subject)));
  const each = (name: string, act: Act): void => {
    for (const [place, { us, cpu }] of inTurns(places, random, act)) {
      const row = rows.get(place.subject.name) as Row;
      row[`${name} p50 us`] = median(us);
      row[`${name} CPU us/op`] = cpu / FILES;
    }
  };
  each('write 4K', (_, { fd }) => void writeSync(fd, BYTES));
  each('create', (path) => closeSync(openSync(path, 'w')));
  each('open', (path) => closeSync(openSync(path, 'r')));
  each('rename', (path) => renameSync(path, `${path}r`));
  each('unlink', (path) => unlinkSync(`${path}r`));
  // The kernel has never heard of these: made behind the server's back.
  for (const { subject } of places) {
    for (let index = 0; index < FILES; index++) {
      writeFileSync(join(subject.target, subject.round, `f${index}`), '');
    }
  }
  each('stat, first', (path) => void statSync(path));
  for (const row of rows.values()) addProgram(row, 'p50 us');
  for (const { subject, directory, fd } of places) {
    awakeNow(subject, () => {
      closeSync(fd);
      rmSync(directory, { recursive: true });
    });
  }
  return rows;
}

function begin(subject: Subject): Place {
  subject.round = `round-${process.hrtime.bigint()}`;
  const directory = join(subject.path, subject.round);
  mkdirSync(directory);
  return { subject, directory, fd: openSync(join(directory, 'written'), 'w') };
}

function awakeNow<T>(subject: Subject, act: () => T): T {
  wake(subject);
  try {
    return act();
  } finally {
    putToSleep(subject);
  }
}

interface Measured {
  us: number[];
  cpu: number;
}

function inTurns(places: readonly Place[], random: Random, act: Act): Map<Place, Measured> {
  const all = new Map<Place, Measured>(places.map((place) => [place, { us: [], cpu: 0 }]));
  for (let from = 0; from < FILES; from += TURN) {
    for (const place of random.shuffle([...places])) {
      const measured = all.get(place) as Measured;
      const { subject, directory } = place;
      awakeNow(subject, () => {
        // One that slept is not measured while it wakes.
        statSync(directory);
        const before = cpuUs(subject.pid);
        for (let index = from; index < from + TURN; index++) {
          const path = join(directory, `f${index}`);
          const start = process.hrtime.bigint();
          act(path, place);
          measured.us.push(Number(process.hrtime.bigint() - start) / 1000);
        }
        measured.cpu += cpuUs(subject.pid) - before;
      });
    }
  }
  return all;
}
