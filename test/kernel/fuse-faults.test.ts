import assert from 'node:assert/strict';
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { appendFileSync, existsSync, fsyncSync, mkdirSync, renameSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { describe, test } from 'node:test';
import type { Effect, Fault, Match, When } from '../../src/core/disk/specification.ts';
import { DiskMount, run } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

function spec(
  fault: Effect,
  match?: Match,
  when?: When,
): { version: 1; seed: number; faults: Fault[] } {
  return { version: 1, seed: 7, faults: [{ id: 'one', match, when, fault }] };
}

function errnoOf(run: () => unknown): string {
  try {
    run();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

const skip = lacks('root', 'fuse');

describe('disk faults on a real mount', { skip, concurrency: false }, () => {
  test('a read error reaches a file that is open and cached, and goes with the fault', async () => {
    await using mount = await DiskMount.start();
    const path = mount.file('a.log');
    writeFileSync(path, 'x'.repeat(10_000));
    const fd = openSync(path, 'r+');
    const bytes = Buffer.alloc(100);
    assert.equal(readSync(fd, bytes, 0, 100, 0), 100);
    const state = await mount.set(
      spec({ kind: 'error', errno: 'EIO' }, { path: ['**/*.log'], op: ['read'] }),
    );
    assert.equal(state.faults[0]?.active, true);
    assert.equal(
      errnoOf(() => readSync(fd, bytes, 0, 100, 0)),
      'EIO',
    );
    // Written while the fault stands: the page must not be served from the cache.
    writeSync(fd, 'y'.repeat(8192), 0);
    assert.equal(
      errnoOf(() => readSync(fd, bytes, 0, 100, 0)),
      'EIO',
    );
    writeSync(fd, 'z', 3);
    assert.equal(
      errnoOf(() => readSync(fd, bytes, 0, 100, 0)),
      'EIO',
    );
    writeFileSync(mount.file('b.txt'), 'other');
    assert.equal(readFileSync(mount.file('b.txt'), 'utf8'), 'other');
    assert.ok(((await mount.state()).faults[0]?.hits ?? 0) >= 3);
    await mount.clear();
    assert.equal(readSync(fd, bytes, 0, 5, 0), 5);
    assert.equal(bytes.toString('utf8', 0, 5), 'yyyzy');
    closeSync(fd);
  });

  test('write and fsync errors; count; a rename changes what matches', async () => {
    await using mount = await DiskMount.start();
    mkdirSync(mount.file('t-0'));
    const fd = openSync(mount.file('t-0/1.log'), 'w');
    await mount.set(
      spec(
        { kind: 'error', errno: 'ENOSPC' },
        { path: ['t-0/*.log'], op: ['write'] },
        { skip: 1, count: 2 },
      ),
    );
    const results = [1, 2, 3, 4].map(() => errnoOf(() => writeSync(fd, 'data')));
    assert.deepEqual(results, ['ok', 'ENOSPC', 'ENOSPC', 'ok']);
    await mount.set(spec({ kind: 'error', errno: 'EIO' }, { path: ['t-0/*.log'], op: ['fsync'] }));
    assert.equal(
      errnoOf(() => fsyncSync(fd)),
      'EIO',
    );
    renameSync(mount.file('t-0'), mount.file('gone'));
    assert.equal(
      errnoOf(() => fsyncSync(fd)),
      'ok',
    );
    closeSync(fd);
  });

  test('metadata faults reach cached names and attributes', async () => {
    await using mount = await DiskMount.start();
    writeFileSync(mount.file('f'), '1');
    statSync(mount.file('f'));
    assert.equal(existsSync(mount.file('missing')), false);
    await mount.set(spec({ kind: 'error', errno: 'EACCES' }, { op: ['lookup', 'getattr'] }));
    assert.equal(
      errnoOf(() => statSync(mount.file('f'))),
      'EACCES',
    );
    assert.equal(
      errnoOf(() => statSync(mount.file('missing'))),
      'EACCES',
    );
    await mount.clear();
    assert.equal(statSync(mount.file('f')).size, 1);
    await mount.set(spec({ kind: 'error', errno: 'EACCES' }, { path: ['new/**'], op: ['lookup'] }));
    mkdirSync(mount.file('old'));
    writeFileSync(mount.file('old/f'), '2');
    assert.equal(statSync(mount.file('old/f')).size, 1);
    renameSync(mount.file('old'), mount.file('new'));
    await until(
      'the fault sees the new name',
      () => errnoOf(() => statSync(mount.file('new/f'))) === 'EACCES',
    );
  });

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

  test('a caller killed in a stall is gone at once; a handled signal does not interrupt', async () => {
    await using mount = await DiskMount.start();
    writeFileSync(mount.file('s'), 'x');
    await mount.set(spec({ kind: 'stall' }, { path: ['s'], op: ['write'] }));
    const script = `
      process.on('SIGUSR2', () => {}); const fs = require('fs');
      fs.writeSync(fs.openSync(process.argv[1], 'r+'), 'y');`;
    const child = spawn(process.execPath, ['-e', script, mount.file('s')], { stdio: 'ignore' });
    await until('the write is held', async () => (await mount.state()).held === 1);
    child.kill('SIGUSR2');
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await mount.state()).held, 1);
    assert.equal(child.exitCode, null);
    child.kill('SIGKILL');
    await until('the caller is gone', () => child.signalCode === 'SIGKILL');
    await until('nothing is held', async () => (await mount.state()).held === 0);
  });

  test('corruption on reads is transient; on writes it stays', async () => {
    await using mount = await DiskMount.start();
    writeFileSync(mount.file('c'), Buffer.alloc(4096));
    await mount.set(spec({ kind: 'corrupt', how: 'bitFlip', amount: 1 }, { op: ['read'] }));
    const bits = readFileSync(mount.file('c')).reduce((sum, byte) => sum + (byte === 0 ? 0 : 1), 0);
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
    const misdirected = (await write({ kind: 'misdirected', shiftBytes: 4096 })).toString('latin1');
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

  test('a full disk: what fits is written, statfs agrees, removing gives room', async () => {
    await using mount = await DiskMount.start();
    writeFileSync(mount.file('before'), Buffer.alloc(50_000));
    await mount.set(spec({ kind: 'full', freeBytes: 100_000, freeInodes: 2 }));
    const disk = statfsSync(mount.path);
    assert.equal(disk.bavail, Math.floor(100_000 / disk.bsize));
    const fd = openSync(mount.file('big'), 'w');
    assert.equal(writeSync(fd, Buffer.alloc(80_000)), 80_000);
    assert.equal(writeSync(fd, Buffer.alloc(80_000)), 20_000);
    assert.equal(
      errnoOf(() => writeSync(fd, Buffer.alloc(1))),
      'ENOSPC',
    );
    assert.equal(writeSync(fd, Buffer.alloc(10), 0, 10, 0), 10);
    closeSync(fd);
    appendFileSync(mount.file('second'), '');
    assert.equal(
      errnoOf(() => appendFileSync(mount.file('third'), '')),
      'ENOSPC',
    );
    await run(['rm', mount.file('before')]);
    appendFileSync(mount.file('third'), Buffer.alloc(50_000));
    await mount.clear();
    assert.equal(statSync(mount.file('third')).size, 50_000);
  });

  test('readonly and gone', async () => {
    await using mount = await DiskMount.start();
    writeFileSync(mount.file('r'), 'read me');
    await mount.set(spec({ kind: 'readonly' }));
    assert.equal(
      errnoOf(() => writeFileSync(mount.file('r'), 'x')),
      'EROFS',
    );
    assert.equal(
      errnoOf(() => mkdirSync(mount.file('d'))),
      'EROFS',
    );
    assert.equal(readFileSync(mount.file('r'), 'utf8'), 'read me');
    await mount.set(spec({ kind: 'gone' }));
    assert.equal(
      errnoOf(() => readFileSync(mount.file('r'))),
      'EIO',
    );
    assert.equal(
      errnoOf(() => statSync(mount.file('r'))),
      'EIO',
    );
    await mount.clear();
    assert.equal(readFileSync(mount.file('r'), 'utf8'), 'read me');
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

  test('a bad specification is refused whole, with every problem', async () => {
    await using mount = await DiskMount.start();
    await mount.set(spec({ kind: 'readonly' }));
    const bad = {
      version: 1,
      faults: [
        {
          id: 'a',
          match: { path: ['[a'], op: ['raed'] },
          fault: { kind: 'error', errno: 'ENOSYS' },
        },
        {
          id: 'a',
          when: { probability: 2 },
          match: { range: [{ from: 9, to: 3 }] },
          fault: { kind: 'eror' },
        },
      ],
    };
    const refused = await mount.set(bad as never).then(() => '', String);
    for (const path of ['path/0', 'op', 'errno', 'probability', 'range/0', 'kind', 'faults/1/id']) {
      assert.match(refused, new RegExp(path));
    }
    assert.equal((await mount.state()).faults[0]?.kind, 'readonly');
  });

  test('a read error reaches memory that is mapped', { skip: lacks('python') }, async () => {
    await using mount = await DiskMount.start();
    writeFileSync(mount.file('0.index'), Buffer.alloc(8192));
    const script = `
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
pages = mmap.mmap(fd, 8192)
os.close(fd)
pages[0]
print("mapped", flush=True)
sys.stdin.readline()
print(pages[0], flush=True)`;
    const child = spawn('python3', ['-c', script, mount.file('0.index')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let said = '';
    child.stdout.on('data', (part: Buffer) => (said += part.toString()));
    await until('it is mapped', () => said === 'mapped\n');
    await mount.set(spec({ kind: 'error', errno: 'EIO' }, { path: ['*.index'], op: ['read'] }));
    child.stdin.write('go\n');
    await until('it got a signal', () => child.signalCode ?? child.exitCode);
    assert.deepEqual([child.signalCode, said], ['SIGBUS', 'mapped\n']);
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

  test('a fault with a duration ends by itself', async () => {
    await using mount = await DiskMount.start();
    await mount.set(spec({ kind: 'readonly' }, undefined, { delay: '100ms', duration: '300ms' }));
    await until('the fault has come', async () => (await mount.state()).faults[0]?.active);
    await until('the fault has gone', async () => !(await mount.state()).faults[0]?.active);
    await until('writes work', () => errnoOf(() => writeFileSync(mount.file('x'), '')) === 'ok');
  });
});
