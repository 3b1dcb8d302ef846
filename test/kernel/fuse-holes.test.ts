import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

/** As a log's batches are: no append ends where a page does. */
const APPEND = 16_500;
const APPENDS = 1000;
const SIZE = APPEND * APPENDS;

function cachedPages(path: string): number {
  return Number(
    execFileSync('fincore', ['--noheadings', '--output', 'PAGES', path], { encoding: 'utf8' }),
  );
}

/** How often a process has called read(2) and pread(2) (proc_pid_io(5)). */
function readCalls(pid: number): number {
  return Number(/^syscr: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

test(
  'a reader of what was appended does not wait for each page where two appends meet',
  { skip: lacks('root', 'fuse') },
  async () => {
    await using mount = await DiskMount.start();
    const path = mount.file('log');
    const fd = openSync(path, 'w+');
    const bytes = Buffer.alloc(APPEND);
    for (let index = 0; index < APPENDS; index++) {
      bytes.fill(index);
      writeSync(fd, bytes);
    }
    const seen = Buffer.alloc(SIZE);
    let at = 0;
    const readTo = (end: number): void => {
      while (at < end) at += readSync(fd, seen, at, Math.min(65_536, SIZE - at), at);
    };
    const before = cachedPages(path);
    assert.ok(before * 4096 > SIZE / 2, `the kernel keeps what was written: ${before} pages`);
    readTo(40 * APPEND);
    await until('the pages ahead are dropped', () => cachedPages(path) < before - 100);
    const readsBefore = readCalls(mount.pid);
    readTo(SIZE);
    // A request is read, and its answer from the backing file.
    const requests = (readCalls(mount.pid) - readsBefore) / 2;
    assert.ok(requests < APPENDS / 2, `${requests} requests for ${APPENDS} appends`);
    for (let index = 0; index < APPENDS; index++) {
      const part = seen.subarray(index * APPEND, (index + 1) * APPEND);
      assert.ok(
        part.every((byte) => byte === index % 256),
        `append ${index}`,
      );
    }
    closeSync(fd);
  },
);
