import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { Effect } from '../../src/core/disk/specification.ts';
import type { FaultState } from '../../src/host/fuse/disk-state.ts';
import { errnoOf, spec } from '../support/disk-fault.ts';
import { DiskMount, run } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

const skip = lacks('root', 'fuse');

/** What a process's first thread does, as proc_pid_status(5) has it; D: it waits, for what no signal ends. */
function stateOf({ pid }: ChildProcess): string | undefined {
  return /^State:\t(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
}

describe(
  'disk faults that hold requests or alter data, on a real mount',
  { skip, concurrency: false },
  () => {
    test('a delay holds nobody else, and ends with the fault', async () => {
      await using mount = await DiskMount.start();
      await mount.set(
        spec({ kind: 'delay', latency: { fixed: '10m' } }, { path: ['slow*'], op: ['write'] }),
      );
      const slow = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          Promise.resolve(
            spawn('dd', ['if=/dev/zero', `of=${mount.file(`slow${index}`)}`, 'bs=64k', 'count=1'], {
              stdio: 'ignore',
            }),
          ),
        ),
      );
      const ended = Promise.all(
        slow.map((child) => new Promise<number | null>((resolve) => child.once('exit', resolve))),
      );
      await until('all writes are held', async () => (await mount.state()).held === 40);
      writeFileSync(mount.file('fast'), 'quick');
      assert.equal(readFileSync(mount.file('fast'), 'utf8'), 'quick');
      await mount.clear();
      assert.deepEqual([...new Set(await ended)], [0]);
      assert.equal((await mount.state()).held, 0);
      assert.equal(statSync(mount.file('slow39')).size, 65_536);
    });

    test('of several faults that hold a request, one that ends takes only itself along', async () => {
      await using mount = await DiskMount.start();
      const set = (id: string, fault: Effect): Promise<unknown> =>
        mount.ask('PUT', `/faults/${id}`, { fault, match: { op: ['write'] } });
      await set('first', { kind: 'stall' });
      await set('second', { kind: 'stall' });
      await set('error', { kind: 'error', errno: 'ENOSPC' });
      const file = await open(mount.file('f'), 'w');
      const held = file.write('data').then(String, ({ code }: NodeJS.ErrnoException) => code);
      const isHeld = async (): Promise<boolean> => (await mount.state()).held === 1;
      await until('it is held', isHeld);
      await mount.ask('DELETE', '/faults/first');
      assert.ok(await isHeld());
      await mount.ask('DELETE', '/faults/second');
      assert.equal(await held, 'ENOSPC');
      await mount.ask('DELETE', '/faults/error');
      await file.write('data');
      await file.close();
    });

    test('a fault that waits for held reads holds up nobody who lets go of them', async () => {
      await using mount = await DiskMount.start();
      writeFileSync(`${mount.target}/f`, Buffer.alloc(100_000, 1));
      const set = (id: string, fault: Effect): Promise<unknown> =>
        mount.ask('PUT', `/faults/${id}`, { fault, match: { op: ['read'] } });
      await set('stall', { kind: 'stall' });
      const file = await open(mount.file('f'), 'r');
      // The kernel asks once more for a page that was to be dropped meanwhile: it may be either.
      const held = file.read(Buffer.alloc(10), 0, 10, 0).then(
        () => 'ok',
        ({ code }: NodeJS.ErrnoException) => code,
      );
      await until('it is held', async () => (await mount.state()).held > 0);
      // The pages that are being read stay locked until then.
      const armed = set('error', { kind: 'error', errno: 'EIO' });
      const isThere = ({ id }: { id: string }): boolean => id === 'error';
      await until('it is being armed', async () => (await mount.state()).faults.some(isThere));
      await mount.ask('DELETE', '/faults/stall');
      await armed;
      assert.match(String(await held), /^(ok|EIO)$/);
      await assert.rejects(file.read(Buffer.alloc(10), 0, 10, 0), { code: 'EIO' });
      await mount.ask('DELETE', '/faults/error');
      await file.close();
    });

    test('asked to end, it lets go of all that is held, whatever waits for that', async () => {
      await using mount = await DiskMount.start();
      writeFileSync(`${mount.target}/f`, Buffer.alloc(100_000, 1));
      await mount.ask('PUT', '/faults/stall', {
        fault: { kind: 'stall' },
        match: { op: ['read'] },
      });
      const file = await open(mount.file('f'), 'r');
      const held = file.read(Buffer.alloc(10), 0, 10, 0);
      await until('it is held', async () => (await mount.state()).held > 0);
      const waits = mount.set(spec({ kind: 'gone' })).catch(String);
      await until('both stand', async () => (await mount.state()).faults.length === 2);
      mount.process.kill('SIGTERM');
      // It may get its bytes or an error, as the second fault says.
      await Promise.allSettled([held]);
      await file.close();
      await waits;
    });

    test('a caller killed in a stall is gone at once; a handled signal does not interrupt', async () => {
      await using mount = await DiskMount.start();
      writeFileSync(mount.file('s'), 'x');
      const stall = { fault: { kind: 'stall' }, match: { path: ['s'], op: ['write'] } };
      const script = `
      process.on('SIGUSR2', () => {}); const fs = require('fs');
      fs.writeSync(fs.openSync(process.argv[1], 'r+'), 'y');`;
      const write = async (): Promise<ChildProcess> => {
        await mount.ask('PUT', '/faults/stall', stall);
        const child = spawn(process.execPath, ['-e', script, mount.file('s')], { stdio: 'ignore' });
        await until('the write is held', async () => (await mount.state()).held === 1);
        return child;
      };
      const signalled = await write();
      signalled.kill('SIGUSR2');
      // The kernel has told the file system of the signal, and waits on for nothing but a fatal one.
      await until('the caller knows of the signal', () => stateOf(signalled) === 'D');
      // Interrupts are handed over before all other requests: this one comes after it.
      statSync(mount.file('none'), { throwIfNoEntry: false });
      const ended = (await mount.ask('DELETE', '/faults/stall')) as FaultState;
      await until('the write is over', () => signalled.exitCode !== null);
      assert.equal(signalled.exitCode, 0);
      // A write that ends with EINTR is asked for again.
      assert.equal(ended.hits, 1);
      assert.equal(readFileSync(mount.file('s'), 'utf8'), 'y');
      const killed = await write();
      killed.kill('SIGKILL');
      await until('the caller is gone', () => killed.signalCode === 'SIGKILL');
      await until('nothing is held', async () => (await mount.state()).held === 0);
    });

    test('corruption on reads is transient; on writes it stays', async () => {
      await using mount = await DiskMount.start();
      writeFileSync(mount.file('c'), Buffer.alloc(4096));
      await mount.set(spec({ kind: 'corrupt', how: 'bitFlip', amount: 1 }, { op: ['read'] }));
      const bits = readFileSync(mount.file('c')).reduce(
        (sum, byte) => sum + (byte === 0 ? 0 : 1),
        0,
      );
      assert.equal(bits, 1);
      await mount.clear();
      assert.ok(readFileSync(mount.file('c')).equals(Buffer.alloc(4096)));
      await mount.set(
        spec({ kind: 'corrupt', how: 'random', amount: 64 }, { op: ['write'] }, { count: 1 }),
      );
      writeFileSync(mount.file('c'), Buffer.alloc(4096));
      assert.ok(!readFileSync(mount.file('c')).equals(Buffer.alloc(4096)));
      await mount.clear();
      assert.ok(!readFileSync(mount.file('c')).equals(Buffer.alloc(4096)));
    });

    test('lost, torn, misdirected and short writes', async () => {
      await using mount = await DiskMount.start();
      const old = Buffer.alloc(8192, 'o');
      const fresh = Buffer.alloc(8192, 'n');
      const path = mount.file('w');
      const write = async (fault: Effect): Promise<Buffer> => {
        writeFileSync(path, old);
        await mount.set(spec(fault, { op: ['write'] }));
        const fd = openSync(path, 'r+');
        const told = writeSync(fd, fresh, 0, fresh.length, 0);
        // A short write is carried on by libuv: as many requests as pieces.
        assert.equal(told, 8192);
        assert.equal(((await mount.state()).faults[0]?.hits ?? 0) > 8, fault.kind === 'short');
        closeSync(fd);
        await mount.clear();
        return readFileSync(path);
      };
      assert.ok((await write({ kind: 'lost' })).equals(old));
      const torn = (await write({ kind: 'torn', keep: 'prefix' })).toString('latin1');
      assert.match(torn, /^n*o+$/);
      assert.equal((torn.indexOf('o') % 512) + torn.length, 8192);
      const misdirected = (await write({ kind: 'misdirected', shiftBytes: 4096 })).toString(
        'latin1',
      );
      assert.equal(misdirected, 'o'.repeat(4096) + 'n'.repeat(8192));
      assert.ok((await write({ kind: 'short', bytes: 1000 })).equals(fresh));
    });

    test('stale reads, until the fault ends', async () => {
      await using mount = await DiskMount.start();
      const path = mount.file('st');
      writeFileSync(path, 'old old old');
      await mount.set(spec({ kind: 'stale' }));
      const fd = openSync(path, 'r+');
      writeSync(fd, 'NEW', 4);
      assert.equal(readFileSync(path, 'utf8'), 'old old old');
      closeSync(fd);
      await mount.clear();
      assert.equal(readFileSync(path, 'utf8'), 'old NEW old');
    });

    test('a failed fsync loses the data: ext4 hides it in the cache, btrfs does not', async () => {
      await using mount = await DiskMount.start();
      for (const after of ['ext4', 'xfs', 'btrfs'] as const) {
        const path = mount.file(after);
        writeFileSync(path, 'durable');
        await mount.set(spec({ kind: 'fsync', how: 'fails', after }, undefined, { count: 1 }));
        const fd = openSync(path, 'r+');
        writeSync(fd, 'XX', 0);
        writeSync(fd, ' and more', 7);
        assert.equal(
          errnoOf(() => fsyncSync(fd)),
          'EIO',
        );
        assert.equal(
          errnoOf(() => fsyncSync(fd)),
          'ok',
        );
        closeSync(fd);
        await mount.clear();
        const onDisk = readFileSync(`${mount.target}/${after}`, 'latin1');
        assert.equal(onDisk, after === 'ext4' ? `durable${'\0'.repeat(9)}` : 'durable');
      }
    });

    test('a rate holds a writer back to its share', async () => {
      await using mount = await DiskMount.start();
      await mount.set(spec({ kind: 'rate', bytesPerSecond: 1 << 20 }, { op: ['write'] }));
      const startedAt = performance.now();
      const file = await open(mount.file('rate'), 'w');
      for (let count = 0; count < 8; count++) await file.write(Buffer.alloc(65_536));
      await file.close();
      // Half a MiB at one MiB a second; only the lower bound is certain.
      assert.ok(performance.now() - startedAt >= 450);
    });

    test('a thousand delayed writes take bounded memory', { skip: lacks('python') }, async () => {
      await using mount = await DiskMount.start();
      await mount.set(spec({ kind: 'stall' }, { op: ['write'] }));
      const before = mount.residentBytes();
      const script = `
import os, sys, threading
def write(index):
    fd = os.open(f"{sys.argv[1]}/{index}", os.O_CREAT | os.O_WRONLY)
    os.write(fd, bytes([index % 256]) * (1 << 20))
    os.close(fd)
threads = [threading.Thread(target=write, args=(index,)) for index in range(1000)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(os.stat(f"{sys.argv[1]}/{index}").st_size for index in range(1000)))`;
      const ended = run(['python3', '-c', script, mount.path]);
      await until('all are held', async () => (await mount.state()).held === 1000, {
        timeoutMs: 60_000,
      });
      assert.ok(mount.residentBytes() - before < 400 * (1 << 20));
      await mount.clear();
      assert.equal((await ended).out, `${1000 * (1 << 20)}\n`);
    });
  },
);
