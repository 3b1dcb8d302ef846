import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readMounts } from '../../src/host/fuse/mounts.ts';
import { errnoOf } from '../support/disk-fault.ts';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { until } from '../support/until.ts';

const skip = lacks('root', 'fuse');

describe('bad luck', { skip, concurrency: false }, () => {
  test('killed under load: errors and no hang, unmounted by its supervisor, served anew', async () => {
    const directory = mkdtempSync('/tmp/faultline-fuse-');
    const [target, path] = [join(directory, 'target'), join(directory, 'mount')];
    mkdirSync(target);
    mkdirSync(path);
    const isMounted = (): boolean => readMounts().some((entry) => entry.mountPoint === path);
    const argv = [join(ROOT, 'faultline'), 'mount', '--json', target, path];
    let said = '';
    const start = () => {
      said = '';
      const child = spawn(argv[0] as string, argv.slice(1), {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      child.stdout.on('data', (part: Buffer) => (said += part.toString()));
      return child;
    };
    const supervisor = start();
    try {
      await until('it is mounted', () => said.endsWith('\n'));
      const { pid } = JSON.parse(said) as { pid: number };
      writeFileSync(join(path, 'kept'), 'data');
      const script = `
        const fs = require('fs'); const fd = fs.openSync(process.argv[1], 'w');
        process.stdout.write('writing');
        try { for (;;) fs.writeSync(fd, Buffer.alloc(65536), 0, 65536, 0); }
        catch (error) { process.stdout.write(error.code); }`;
      const writers = [0, 1, 2, 3].map((index) =>
        spawn(process.execPath, ['-e', script, join(path, `load${index}`)], {
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      );
      const output = writers.map(() => '');
      for (const [index, writer] of writers.entries()) {
        writer.stdout.on('data', (part: Buffer) => (output[index] += part.toString()));
      }
      await until('all write', () => output.every((text) => text !== ''));
      process.kill(pid, 'SIGKILL');
      await until('all writers have got their error', () =>
        writers.every((writer) => writer.exitCode !== null),
      );
      for (const text of output) assert.match(text, /^writing(ECONNABORTED|ENOTCONN|EIO)$/);
      await until('the supervisor has unmounted and ended', () => supervisor.exitCode !== null);
      assert.equal(isMounted(), false);
      const again = start();
      await until('it is mounted again', () => said.endsWith('\n'));
      assert.equal(readFileSync(join(path, 'kept'), 'utf8'), 'data');
      again.kill('SIGTERM');
      await until('it ends', () => again.exitCode !== null);
      assert.equal(isMounted(), false);
    } finally {
      if (isMounted()) execFileSync('umount', ['-l', path]);
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('the backing disk is full: ENOSPC as it is, and room again after a removal', async () => {
    const small = mkdtempSync('/tmp/faultline-full-');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]);
    try {
      await using mount = await DiskMount.start({ under: small, options: { trackUnsynced: true } });
      const fd = openSync(mount.file('big'), 'w');
      const fill = (): void => {
        for (let count = 0; count < 100; count++) writeSync(fd, Buffer.alloc(65_536));
      };
      assert.equal(errnoOf(fill), 'ENOSPC');
      closeSync(fd);
      assert.equal(
        errnoOf(() => writeFileSync(mount.file('other'), Buffer.alloc(65_536))),
        'ENOSPC',
      );
      await mount.set({
        version: 1,
        faults: [{ id: 'x', match: { path: ['x'] }, fault: { kind: 'error', errno: 'EIO' } }],
      });
      truncateSync(mount.file('big'), 0);
      writeFileSync(mount.file('other'), Buffer.alloc(65_536));
      assert.equal(statSync(mount.file('other')).size, 65_536);
    } finally {
      execFileSync('umount', [small]);
      rmSync(small, { recursive: true });
    }
  });

  test('the backing directory is removed: errors, and the control still answers', async () => {
    await using mount = await DiskMount.start();
    mkdirSync(mount.file('d'));
    writeFileSync(mount.file('d/f'), 'open');
    const fd = openSync(mount.file('d/f'), 'r+');
    rmSync(mount.target, { recursive: true });
    assert.equal(writeSync(fd, 'still'), 5);
    closeSync(fd);
    assert.match(
      errnoOf(() => writeFileSync(mount.file('new'), '')),
      /ENOENT|ESTALE/,
    );
    assert.match(
      errnoOf(() => writeFileSync(mount.file('d/new'), '')),
      /ENOENT|ESTALE/,
    );
    await mount.set({ version: 1, faults: [{ id: 'r', fault: { kind: 'readonly' } }] });
    await mount.clear();
    assert.deepEqual((await mount.state()).faults, []);
  });

  test('a file of more than 4 GB, and offsets beyond 2^32', async () => {
    await using mount = await DiskMount.start({ options: { trackUnsynced: true } });
    const path = mount.file('large');
    const places = [0, 2 ** 31 - 5, 3e9, 2 ** 32 - 3, 5e9];
    const fd = openSync(path, 'w+');
    for (const at of places) writeSync(fd, Buffer.from(`at ${at}`), 0, null, at);
    const bytes = Buffer.alloc(20);
    for (const at of places) {
      const got = readSync(fd, bytes, 0, 20, at);
      const text = bytes.toString('latin1', 0, got);
      assert.ok(text.startsWith(`at ${at}`), text);
    }
    assert.equal(statSync(path).size, 5e9 + 13);
    await mount.set({
      version: 1,
      faults: [
        {
          id: 'far',
          match: { op: ['write'], range: [{ from: 3e9, to: 3e9 + 4096 }] },
          fault: { kind: 'error', errno: 'EIO' },
        },
      ],
    });
    const write = (at: number): string => errnoOf(() => writeSync(fd, Buffer.from('x'), 0, 1, at));
    assert.deepEqual([write(3e9 - 1), write(3e9 + 1), write(5e9)], ['ok', 'EIO', 'ok']);
    await mount.clear();
    truncateSync(path, 3e9);
    assert.equal(statSync(path).size, 3e9);
    closeSync(fd);
  });

  test('names of 255 bytes and not UTF-8, also where a fault wants to know them', async () => {
    await using mount = await DiskMount.start({ options: { trackUnsynced: true } });
    const names = [
      Buffer.alloc(255, 'n'),
      Buffer.from([0xff, 0xfe, 0x80, 0x2e, 0x6c]),
      Buffer.concat([Buffer.alloc(100, 0xc3), Buffer.from('.log')]),
      Buffer.from('ü\n"\\ .log'),
    ];
    const at = (name: Buffer, root = mount.path): Buffer =>
      Buffer.concat([Buffer.from(`${root}/`), name]);
    await mount.set({
      version: 1,
      trackUnsynced: true,
      faults: [{ id: 'none', match: { path: ['**/nothing*', 'x'] }, fault: { kind: 'gone' } }],
    });
    for (const [index, name] of names.entries()) writeFileSync(at(name), String(index));
    const sorted = (all: readonly Buffer[]): Buffer[] => [...all].sort(Buffer.compare);
    assert.deepEqual(sorted(readdirSync(mount.path, 'buffer')), sorted(names));
    assert.deepEqual(sorted(readdirSync(mount.target, 'buffer')), sorted(names));
    for (const [index, name] of names.entries()) {
      renameSync(at(name), at(Buffer.from('between')));
      renameSync(at(Buffer.from('between')), at(name));
      assert.equal(readFileSync(at(name), 'utf8'), String(index));
    }
    assert.equal(
      errnoOf(() => writeFileSync(at(Buffer.alloc(256, 'n')), '')),
      'ENAMETOOLONG',
    );
    const directory = openSync(mount.path, 'r');
    fsyncSync(directory);
    closeSync(directory);
    for (const name of names) unlinkSync(at(name));
    const { names: lost } = await mount.powerCut('all');
    assert.ok(lost.every((one) => one.errno === undefined));
    assert.deepEqual(sorted(readdirSync(mount.path, 'buffer')), sorted(names));
    assert.ok(existsSync(at(names[1] as Buffer, mount.target)));
  });

  test('out of descriptors: errors, the control answers, and all is well after', async () => {
    await using mount = await DiskMount.start({ prefix: ['prlimit', '--nofile=400:400'] });
    const open: number[] = [];
    const openAll = (): void => {
      for (let index = 0; index < 500; index++) {
        open.push(openSync(mount.file(`f${index}`), 'w'));
      }
    };
    assert.match(errnoOf(openAll), /EMFILE|ENFILE/);
    assert.ok(open.length > 200, `${open.length} files`);
    await mount.set({
      version: 1,
      faults: [{ id: 'r', match: { op: ['write'] }, fault: { kind: 'readonly' } }],
    });
    assert.equal(
      errnoOf(() => writeSync(open[0] as number, 'x')),
      'EROFS',
    );
    await mount.clear();
    writeSync(open[0] as number, 'x');
    for (const fd of open.splice(0)) closeSync(fd);
    writeFileSync(mount.file('after'), 'fine');
    assert.equal(readFileSync(mount.file('after'), 'utf8'), 'fine');
  });

  test('everything stalls, over itself: the control answers, as it never uses its own mount', async () => {
    await using mount = await DiskMount.start({ overItself: true });
    mkdirSync(mount.file('d'));
    writeFileSync(mount.file('d/f'), 'text');
    const stall = { match: { op: ['all'] }, fault: { kind: 'stall' } };
    await mount.ask('PUT', '/faults/all', stall);
    const cat = spawn('cat', [mount.file('d/f')], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    cat.stdout.on('data', (part: Buffer) => (said += part.toString()));
    await until('somebody is held', async () => (await mount.state()).held > 0);
    assert.deepEqual(await mount.ask('GET', '/faults/all/example'), { path: 'd/f' });
    await mount.set({ version: 1, trackUnsynced: true, faults: [] });
    await mount.ask('PUT', '/faults/more', { match: { path: ['d/*'] }, fault: { kind: 'gone' } });
    await mount.ask('DELETE', '/faults/more');
    await mount.ask('DELETE', '/faults/all');
    await until('it is let go of', () => cat.exitCode !== null);
    assert.equal(said, 'text');
  });

  test('a glob that matches nothing yet meets what comes later', async () => {
    await using mount = await DiskMount.start();
    const path = ['later-*/**/*.log'];
    await mount.set({
      version: 1,
      faults: [{ id: 'later', match: { path, op: ['write'] }, fault: { kind: 'gone' } }],
    });
    mkdirSync(mount.file('later-1/a'), { recursive: true });
    writeFileSync(mount.file('later-1/a/x.txt'), 'x');
    assert.equal(
      errnoOf(() => writeFileSync(mount.file('later-1/a/x.log'), 'x')),
      'EIO',
    );
    renameSync(mount.file('later-1'), mount.file('sooner-1'));
    writeFileSync(mount.file('sooner-1/a/x.log'), 'x');
  });
});
