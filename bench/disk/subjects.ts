import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskSpecification } from '../../src/core/disk/specification.ts';
import { readMounts } from '../../src/host/fuse/mounts.ts';
import { DiskMount } from '../../test/support/disk-mount.ts';
import { until } from '../../test/support/until.ts';

/** What is measured: a directory, and the process that serves it. */
export interface Subject {
  name: string;
  path: string;
  /** The backing directory; the path itself for the plain one. */
  target: string;
  /** Of what is measured now: a directory in it. */
  round: string;
  /** 0 for the plain directory. */
  pid: number;
  /** Kibosh drops the whole machine's caches every second: it sleeps while others are measured. */
  sleepers: number[];
  close(): Promise<void>;
}

/** Sends those of a subject that sleep to sleep: last in, first out. */
export function putToSleep(subject: Subject): void {
  for (const pid of subject.sleepers.toReversed()) process.kill(pid, 'SIGSTOP');
}

export function wake(subject: Subject): void {
  for (const pid of subject.sleepers) {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It has ended: the signal that stops us went to it, too.
    }
  }
}

/** Runs one subject's measurement; all that sleep but this one do. */
export async function awake<T>(subject: Subject, act: () => T | Promise<T>): Promise<T> {
  wake(subject);
  try {
    return await act();
  } finally {
    putToSleep(subject);
  }
}

export const NAMES = [
  'plain',
  'faultline',
  'faultline, 100 rules that match nothing',
  'faultline, a rule that matches',
  'passthrough_ll',
  'kibosh',
  'kibosh, a rule that matches',
] as const;
export type SubjectName = (typeof NAMES)[number];

/** Half name a directory, half the end of a name: as faults for topics and file kinds do. */
const hundred: DiskSpecification = {
  version: 1,
  faults: Array.from({ length: 100 }, (_, index) => ({
    id: `none-${index}`,
    match: {
      path: [index % 2 === 0 ? `nowhere-${index}/**/*.log` : `**/*.nothing${index}`],
      op: ['all'],
    },
    fault: { kind: 'error', errno: 'EIO' },
  })),
};

/** Hits every read and write, and does nothing to it. */
const matching: DiskSpecification = {
  version: 1,
  faults: [
    {
      id: 'all',
      match: { op: ['data'] },
      fault: { kind: 'delay', latency: { fixed: '0s' } },
    },
  ],
};

const KIBOSH_MATCHING = {
  faults: ['read_delay', 'write_delay'].map((type) => ({
    type,
    prefix: '/',
    suffix: '',
    delay_ms: 0,
    fraction: 1.0,
  })),
};

async function ours(
  name: string,
  under: string,
  specification?: DiskSpecification,
): Promise<Subject> {
  const mount = await DiskMount.start({ under });
  if (specification !== undefined) await mount.set(specification);
  const close = (): Promise<void> => mount[Symbol.asyncDispose]();
  const { path, target, pid } = mount;
  return { name, path, target, round: '', pid, sleepers: [], close };
}

/** A C file system in the foreground, over a directory of its own, with as much read-ahead as ours. */
async function other(
  name: string,
  under: string,
  argv: (target: string, mount: string) => string[],
): Promise<Subject> {
  const directory = mkdtempSync(join(under, 'faultline-bench-'));
  const [target, path] = [join(directory, 'target'), join(directory, 'mount')];
  mkdirSync(target);
  mkdirSync(path);
  const [program = '', ...rest] = argv(target, path);
  const child = spawn(program, rest, { stdio: 'ignore' });
  const close = async (): Promise<void> => {
    child.kill('SIGCONT');
    // Already unmounted where a signal to all of us ended it.
    spawnSync('umount', ['-l', path], { stdio: 'ignore' });
    child.kill('SIGTERM');
    await until(`${name} ends`, () => child.exitCode !== null || child.signalCode !== null);
    rmSync(directory, { recursive: true });
  };
  const device = statSync(directory).dev;
  try {
    await until(`${name} is mounted`, () => statSync(path).dev !== device);
    const entry = readMounts().find(({ mountPoint }) => mountPoint === path);
    writeFileSync(`/sys/class/bdi/${entry?.device}/read_ahead_kb`, '1024');
  } catch (error) {
    await close();
    throw error;
  }
  return { name, path, target, round: '', pid: child.pid ?? 0, sleepers: [], close };
}

/** @returns undefined where the environment does not name the binary it needs. */
export async function startSubject(name: SubjectName, under: string): Promise<Subject | undefined> {
  const { PASSTHROUGH_LL_BIN: passthrough, KIBOSH_BIN: kibosh } = process.env;
  switch (name) {
    case 'plain': {
      const path = mkdtempSync(join(under, 'faultline-bench-'));
      const close = (): Promise<void> => Promise.resolve(rmSync(path, { recursive: true }));
      return { name, path, target: path, round: '', pid: 0, sleepers: [], close };
    }
    case 'faultline':
      return ours(name, under);
    case 'faultline, 100 rules that match nothing':
      return ours(name, under, hundred);
    case 'faultline, a rule that matches':
      return ours(name, under, matching);
    case 'passthrough_ll':
      if (passthrough === undefined) return undefined;
      return other(name, under, (target, mount) => {
        const options = `source=${target},allow_other,default_permissions,cache=always`;
        return [passthrough, '-f', '-o', options, mount];
      });
    case 'kibosh':
    case 'kibosh, a rule that matches': {
      if (kibosh === undefined) return undefined;
      const argv = (target: string, mount: string): string[] => [
        kibosh,
        '-f',
        '--target',
        target,
        mount,
      ];
      const subject = await other(name, under, argv);
      if (name !== 'kibosh') {
        writeFileSync(join(subject.path, 'kibosh_control'), JSON.stringify(KIBOSH_MATCHING));
      }
      return { ...subject, sleepers: [subject.pid] };
    }
  }
}
