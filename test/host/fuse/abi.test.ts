import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as messages from '../../../src/core/codec/fuse/messages.ts';
import { FOPEN, IOC_CLONE, OPCODES, SETATTR } from '../../../src/core/codec/fuse/constants.ts';
import type { Struct } from '../../../src/core/codec/fuse/struct.ts';
import { ERRNO } from '../../../src/core/disk/errno.ts';
import { STATX } from '../../../src/host/fuse/inode.ts';
import { AT, MNT_DETACH, O_CLOEXEC, O_PATH, O_TMPFILE_BIT } from '../../../src/host/fuse/libc.ts';
import { STATFS } from '../../../src/host/fuse/operations-attributes.ts';
import { lacks, ROOT } from '../../support/needs.ts';

/*
 * What the file system takes to be so of the kernel's and the C library's binary interface, told to a C
 * compiler as assertions: sizes, offsets, flags, numbers of syscalls. Nothing is run, so that a compiler
 * for another architecture is enough to know that it holds there: ARM64_CC='aarch64-linux-gnu-gcc'.
 */

const snake = (name: string): string => name.replace(/[A-Z]/g, (one) => `_${one.toLowerCase()}`);
const says = (condition: string): string =>
  `_Static_assert(${condition}, ${JSON.stringify(condition)});`;

/** Whose C name is not 'fuse_' and ours. */
const NAMES: Readonly<Record<string, string>> = {
  InitInExt: 'fuse_init_in',
  NotifyInvalEntry: 'fuse_notify_inval_entry_out',
  NotifyInvalInode: 'fuse_notify_inval_inode_out',
};
/** Begins as the C struct does, and something follows. */
const PARTS = ['AttrOut', 'EntryOut', 'InitIn', 'InitInExt', 'SetxattrIn'];
const FIELDS: Readonly<Record<string, string>> = { 'GetattrIn.flags': 'getattr_flags' };
/** Where the fields of ours are in a struct within. */
const WITHIN: Readonly<Record<string, string>> = { StatfsOut: 'st.' };
/** Fields that fill up, and what headers of Linux 6.1 do not have yet. */
const FILLING = /^(padding|dummy|unused|spare)/;
const NEWER = [
  'InHeader.totalExtlen',
  'FUSE.statx',
  'InitInExt.flags2',
  'InitOut.maxStackDepth',
  'InitOut.requestTimeout',
  'NotifyInvalEntry.flags',
  'OpenOut.backingId',
];

function structs(): string[] {
  return Object.entries(messages as Record<string, Struct>).flatMap(([ours, struct]) => {
    const name = `struct ${NAMES[ours] ?? `fuse${snake(ours)}`}`;
    const size = PARTS.includes(ours) ? [] : [says(`sizeof(${name}) == ${struct.size}`)];
    const offsets = Object.entries(struct.at)
      .filter(([field]) => !FILLING.test(field) && !NEWER.includes(`${ours}.${field}`))
      .map(([field, at]) => [FIELDS[`${ours}.${field}`] ?? snake(field), at] as const)
      .map(([field, at]) => says(`offsetof(${name}, ${WITHIN[ours] ?? ''}${field}) == ${at}`));
    return [...size, ...offsets];
  });
}

function libraryStructs(): string[] {
  const time = ['atime', 'ctime', 'mtime'];
  const statx = Object.entries(STATX).map(([field, at]) => {
    const inner = time.includes(field) ? `stx_${field}.tv_sec` : `stx_${snake(field)}`;
    return says(`offsetof(struct statx, ${inner}) == ${at}`);
  });
  const statfs = Object.entries(STATFS).map(([field, at]) =>
    says(
      `offsetof(struct statfs, f_${field}) == ${at} && sizeof(((struct statfs *)0)->f_${field}) == 8`,
    ),
  );
  const dirent = Object.entries({ ino: 0, off: 8, reclen: 16, type: 18, name: 19 }).map(
    ([field, at]) => says(`offsetof(struct dirent64, d_${field}) == ${at}`),
  );
  const timespec = ['sizeof(struct timespec) == 16', 'sizeof(long) == 8', 'sizeof(void *) == 8'];
  return [...statx, ...statfs, ...dirent, ...timespec.map(says)];
}

const named = (prefix: string, table: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(table)
    .filter(([name]) => !NEWER.includes(`${prefix}.${name}`))
    .map(([name, value]) => [`${prefix}_${snake(name).toUpperCase()}`, value]);

/** Flags and numbers that are written as such: those of the exported tables, and any in the sources. */
function numbers(): string[] {
  const known: [string, number][] = [
    ['AT_FDCWD', AT.fdcwd],
    ['AT_SYMLINK_NOFOLLOW', AT.symlinkNofollow],
    ['AT_REMOVEDIR', AT.removedir],
    ['AT_SYMLINK_FOLLOW', AT.symlinkFollow],
    ['AT_EMPTY_PATH', AT.emptyPath],
    ['MNT_DETACH', MNT_DETACH],
    ['O_CLOEXEC', O_CLOEXEC],
    ['O_PATH', O_PATH],
    ['(O_TMPFILE & ~O_DIRECTORY)', O_TMPFILE_BIT],
    ['FUSE_DEV_IOC_CLONE', IOC_CLONE],
    ...named('FUSE', OPCODES),
    ...named('FATTR', SETATTR),
    ...named('FOPEN', FOPEN),
    ...Object.entries(ERRNO),
  ];
  return known.map(([name, value]) => says(`${name} == ${value}`));
}

const CONSTANT =
  /^(?:export )?const ((?:AT|F|FALLOC|MNT|MS|O|RENAME|S|SEEK|SYS|XATTR)_[A-Z_]+) = ([\dxoa-f_]+);/gm;

/** An O_DIRECTORY, O_DIRECT or O_NOFOLLOW written as a number is right on one architecture only. */
function writtenNumbers(): string[] {
  const folders = ['src/host/fuse', 'src/host/linux'];
  const sources = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(ROOT, folder, file), 'utf8')),
  );
  const found = sources.flatMap((text) => [...text.matchAll(CONSTANT)]);
  assert.ok(found.length > 5, 'numbers are found');
  return found.flatMap(([, ours = '', value = '']) => {
    const name = ours.startsWith('SYS_') ? `SYS_${ours.slice(4).toLowerCase()}` : ours;
    return [`#ifdef ${name}`, says(`${name} == ${Number(value.replaceAll('_', ''))}`), '#endif'];
  });
}

const HEADERS = [
  'dirent',
  'errno',
  'fcntl',
  'stddef',
  'time',
  'linux/fuse',
  'sys/mount',
  'sys/stat',
]
  .concat('sys/syscall', 'sys/vfs', 'sys/xattr', 'unistd')
  .map((name) => `#include <${name}.h>`);

function compile(
  command: string,
  lines: readonly string[],
): { status: number | null; stderr: string } {
  const [program = '', ...more] = command.split(' ');
  const argv = [...more, '-fsyntax-only', '-D_GNU_SOURCE', '-x', 'c', '-'];
  const input = [...HEADERS, ...lines, ''].join('\n');
  const { status, stderr } = spawnSync(program, argv, { input, encoding: 'utf8' });
  return { status, stderr };
}

describe('the binary interface is as the file system takes it to be', () => {
  const compilers = [
    ['here', 'cc', lacks('linux', 'cc')],
    ['on arm64', process.env['ARM64_CC'] ?? '', lacks('arm64-cc')],
  ] as const;
  for (const [where, command, skip] of compilers) {
    test(where, { skip }, () => {
      const all = [...structs(), ...libraryStructs(), ...numbers(), ...writtenNumbers()];
      const { status, stderr } = compile(command, all);
      assert.equal(status, 0, stderr);
      assert.ok(all.length > 200, `${all.length} assertions`);
    });

    test(`what is wrong ${where} would be seen`, { skip }, () => {
      const wrong = [says('O_DIRECTORY == 0x10000 && O_DIRECTORY == 0x4000')];
      assert.match(compile(command, wrong).stderr, /static assertion failed/);
    });
  }
});
