import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe, test } from 'node:test';
import type { Effect } from '../../src/core/disk/specification.ts';
import type { DiskEvent } from '../../src/host/fuse/events.ts';
import { errnoOf, spec } from '../support/disk-fault.ts';
import { DiskMount, run } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

const skip = lacks('root', 'fuse');

describe('disk faults that fail requests, on a real mount', { skip, concurrency: false }, () => {
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

  test('a rename that a fault delays brings the cached file under the rule of its new name', async () => {
    await using mount = await DiskMount.start();
    const path = mount.file('old');
    writeFileSync(path, 'cached');
    assert.equal(readFileSync(path, 'utf8'), 'cached');
    const slow: Effect = { kind: 'delay', latency: { fixed: '20ms' } };
    await mount.set({
      version: 1,
      faults: [
        { id: 'slow', match: { op: ['rename'] }, fault: slow },
        {
          id: 'broken',
          match: { path: ['new'], op: ['read'] },
          fault: { kind: 'error', errno: 'EIO' },
        },
      ],
    });
    renameSync(path, mount.file('new'));
    const read = (): string => errnoOf(() => readFileSync(mount.file('new')));
    await until('the read is asked about', () => read() === 'EIO');
    renameSync(mount.file('new'), path);
    assert.equal(readFileSync(path, 'utf8'), 'cached');
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

  test('a full disk: only what it refuses is a hit, and what is replaced is room again', async () => {
    await using mount = await DiskMount.start();
    await mount.set(spec({ kind: 'full', freeBytes: 10_000 }, { op: ['mutate', 'open'] }));
    const hits = async (): Promise<number | undefined> => (await mount.state()).faults[0]?.hits;
    for (let round = 0; round < 5; round++) {
      writeFileSync(mount.file('checkpoint.tmp'), Buffer.alloc(4000));
      renameSync(mount.file('checkpoint.tmp'), mount.file('checkpoint'));
      writeFileSync(mount.file('anew'), Buffer.alloc(1000));
    }
    assert.equal(await hits(), 0);
    assert.equal(
      errnoOf(() => writeFileSync(mount.file('large'), Buffer.alloc(5001))),
      'ENOSPC',
    );
    const { events } = (await mount.ask('GET', '/events')) as { events: DiskEvent[] };
    const told = events.map((event) => event.type === 'hit' && `${event.path}: ${event.errno}`);
    // Several threads tell of them.
    assert.deepEqual(new Set(told), new Set(['large: 0', 'large: 28']), 'a part, then nothing');
    assert.equal(await hits(), told.length);
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

  test('a fault with a duration ends by itself', async () => {
    await using mount = await DiskMount.start();
    await mount.set(spec({ kind: 'readonly' }, undefined, { delay: '100ms', duration: '300ms' }));
    await until('the fault has come', async () => (await mount.state()).faults[0]?.active);
    await until('the fault has gone', async () => !(await mount.state()).faults[0]?.active);
    await until('writes work', () => errnoOf(() => writeFileSync(mount.file('x'), '')) === 'ok');
  });
});
