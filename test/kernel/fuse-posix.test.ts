import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DiskMount, run } from '../support/disk-mount.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { until } from '../support/until.ts';
import { readMounts } from '../../src/host/fuse/mounts.ts';

const STEPS = join(ROOT, 'test/support/posix-steps.py');
const SEEDS = [1, 2, 3];

/** On ext4 or what /tmp is: the mount must not differ from the plain directory in anything. */
async function compare(mount: DiskMount, seed: number, count: number): Promise<number> {
  const plain = join(mount.directory, `plain-${seed}-${count}`);
  const faulted = mount.file(`steps-${seed}-${count}`);
  mkdirSync(plain);
  mkdirSync(faulted);
  const steps = (place: string) => run(['python3', STEPS, place, String(seed), String(count)]);
  const expected = await steps(plain);
  const got = await steps(faulted);
  assert.equal(expected.code, 0, expected.error);
  assert.equal(got.code, 0, got.error);
  const lines = expected.out.split('\n');
  for (const [index, line] of got.out.split('\n').entries()) assert.equal(line, lines[index]);
  return lines.length;
}

const skip = lacks('root', 'fuse', 'python');

describe('without faults the mount is the directory', { skip, concurrency: false }, () => {
  test('what programs rely on', async () => {
    await using mount = await DiskMount.start();
    assert.ok((await compare(mount, 0, 0)) > 15);
  });

  test('thousands of random steps', async () => {
    await using mount = await DiskMount.start();
    for (const seed of SEEDS) assert.ok((await compare(mount, seed, 3000)) > 3000);
  });

  test('also over itself, and while faults that match nothing are set', async () => {
    await using mount = await DiskMount.start({ overItself: true });
    await mount.set({
      version: 1,
      trackUnsynced: true,
      faults: [
        { id: 'none', match: { path: ['nowhere/**'], op: ['all'] }, fault: { kind: 'gone' } },
      ],
    });
    assert.ok((await compare(mount, 4, 2000)) > 2000);
    assert.ok((await compare(mount, 0, 0)) > 15);
  });

  test('far more live files than descriptors: a limit of 1,024', { timeout: 240_000 }, async () => {
    const directories = lacks('long') === false ? 200 : 10;
    await using mount = await DiskMount.start({
      prefix: ['prlimit', '--nofile=1024:1024'],
      under: '/dev/shm',
    });
    const script = `
import os, sys
for d in range(${directories}):
    os.mkdir(f"{sys.argv[1]}/{d}")
    for f in range(1000):
        os.close(os.open(f"{sys.argv[1]}/{d}/{f}", os.O_CREAT | os.O_WRONLY))
print(sum(os.stat(f"{sys.argv[1]}/{d}/{f}").st_size for d in range(${directories}) for f in range(1000)))`;
    const made = await run(['python3', '-c', script, mount.path]);
    assert.equal(made.out, '0\n', made.error);
    assert.ok((await mount.state()).inodes >= directories * 1000);
    assert.ok(readdirSync(`/proc/${mount.pid}/fd`).length < 1024);
    writeFileSync(mount.file('7/7'), 'still works');
    assert.equal(readFileSync(mount.file('7/7'), 'utf8'), 'still works');
  });

  test('killed: users get errors, a new start serves the same data', async () => {
    await using mount = await DiskMount.start();
    writeFileSync(mount.file('kept'), 'data');
    mount.process.kill('SIGKILL');
    await until('the process is dead', () => mount.process.signalCode === 'SIGKILL');
    assert.throws(() => readFileSync(mount.file('kept')), { code: 'ENOTCONN' });
    assert.ok(readMounts().some((entry) => entry.mountPoint === mount.path));
    const { prepareMountPoint } = await import('../../src/host/fuse/supervise.ts');
    await prepareMountPoint(mount.path, mount.target);
    assert.ok(!readMounts().some((entry) => entry.mountPoint === mount.path));
    assert.equal(readFileSync(join(mount.target, 'kept'), 'utf8'), 'data');
  });
});
