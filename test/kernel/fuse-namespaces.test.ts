import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ourMountAt } from '../../src/host/fuse/mounts.ts';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

const skip = lacks('root', 'fuse', 'namespaces');

test(
  'a copy in another mount namespace keeps the process, until it is asked twice',
  { skip },
  async () => {
    await using mount = await DiskMount.start();
    writeFileSync(mount.file('f'), 'text');
    const other = spawn('unshare', ['--mount', 'sh', '-c', 'echo in; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    try {
      let said = '';
      other.stdout.on('data', (part: Buffer) => (said += part.toString()));
      await until('the namespace is made', () => said === 'in\n');
      const inside = `/proc/${other.pid}/root${mount.path}/f`;
      mount.process.kill('SIGTERM');
      await until('it is unmounted here', () => ourMountAt(mount.path) === undefined);
      assert.deepEqual(readdirSync(mount.path), []);
      assert.equal(readFileSync(inside, 'utf8'), 'text');
      assert.equal(mount.process.exitCode, null);
      mount.process.kill('SIGTERM');
      await until('it ends', () => mount.process.signalCode !== null);
      assert.throws(() => readFileSync(inside), { code: 'ENOTCONN' });
    } finally {
      other.kill('SIGKILL');
    }
  },
);
