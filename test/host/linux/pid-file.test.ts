import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProcesses } from '../../../src/host/linux/processes.ts';
import { lacks } from '../../support/needs.ts';

test('a pid file that is a FIFO names nobody, and keeps nobody', { skip: lacks('linux') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-pid-'));
  try {
    const [fifo, file] = [join(directory, 'fifo'), join(directory, 'file')];
    execFileSync('mkfifo', [fifo]);
    assert.deepEqual(findProcesses({ pidFile: fifo }), []);
    writeFileSync(file, `${process.pid}\n`);
    const found = findProcesses({ pidFile: file }).map(({ ref }) => ref.pid);
    assert.deepEqual(found, [process.pid]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
