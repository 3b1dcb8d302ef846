import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { controlPath } from '../../src/host/fuse/control-path.ts';
import { ourMountAt } from '../../src/host/fuse/mounts.ts';
import { prepareMountPoint, unmountLeftover } from '../../src/host/fuse/supervise.ts';
import { diskHolds, diskLeftovers, performDisk } from '../../src/host/linux/disk-mounts.ts';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

const skip = lacks('root', 'fuse');

/** Who copied its mount namespace meanwhile keeps it, too: asked once more it ends all the same. */
async function ended({ process }: DiskMount): Promise<void> {
  process.kill('SIGTERM');
  await until('it has ended', () => process.exitCode !== null || process.signalCode !== null);
}

describe('one file-system process after another, at one place', { skip }, () => {
  test('one that lives is not detached because its control is not to be found', async () => {
    await using mount = await DiskMount.start();
    writeFileSync(mount.file('f'), 'text');
    const socket = controlPath(mount.path);
    const unmounting = { act: 'disk.unmount', mountPoint: mount.path } as const;
    renameSync(socket, `${socket}-hidden`);
    try {
      assert.equal(await unmountLeftover(mount.path), false);
      await performDisk(unmounting);
      assert.equal(await diskHolds(unmounting), false);
      const token = 'faultline-none';
      const renewal = {
        act: 'disk.fault.renew',
        token,
        leaseMs: 1,
        mountPoint: mount.path,
      } as const;
      await assert.rejects(performDisk(renewal), /lives, but its control socket/);
      await assert.rejects(prepareMountPoint(mount.path, mount.target), /its process lives/);
      assert.equal(readFileSync(mount.file('f'), 'utf8'), 'text');
    } finally {
      renameSync(`${socket}-hidden`, socket);
    }
    mount.process.kill('SIGKILL');
    await until('it has ended', () => mount.process.signalCode !== null);
    const left = (await diskLeftovers()).map(({ remove }) => remove);
    assert.ok(left.some((act) => isDeepStrictEqual(act, unmounting)));
    await performDisk(unmounting);
    assert.equal(ourMountAt(mount.path), undefined);
  });

  test('one that hangs is not detached, and whoever looks goes on meanwhile', async () => {
    await using mount = await DiskMount.start();
    mount.process.kill('SIGSTOP');
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    try {
      assert.equal(await unmountLeftover(mount.path), false);
      assert.ok(ticks > 0);
      assert.notEqual(ourMountAt(mount.path), undefined);
    } finally {
      clearInterval(ticking);
      mount.process.kill('SIGCONT');
    }
  });

  test('the next one, wherever it is, removes the socket of one that was killed', async () => {
    await using mount = await DiskMount.start();
    const socket = controlPath(mount.path);
    mount.process.kill('SIGKILL');
    await until('it has ended', () => mount.process.signalCode !== null);
    spawnSync('umount', ['--lazy', mount.path]);
    assert.equal(await unmountLeftover(mount.path), false);
    assert.ok(existsSync(socket));
    await using next = await DiskMount.start();
    assert.ok(!existsSync(socket));
    assert.ok(existsSync(controlPath(next.path)));
  });

  test('a mount that is left is detached by several at once, and by each of them without harm', async () => {
    await using mount = await DiskMount.start();
    mount.process.kill('SIGKILL');
    await until('it has ended', () => mount.process.signalCode !== null);
    await Promise.all([
      prepareMountPoint(mount.path, mount.target),
      prepareMountPoint(mount.path, mount.target),
      unmountLeftover(mount.path),
    ]);
    assert.equal(ourMountAt(mount.path), undefined);
    assert.ok(!existsSync(controlPath(mount.path)));
  });

  test('the old one ends later, and takes nothing of the new one away', async () => {
    await using old = await DiskMount.start();
    writeFileSync(old.file('f'), 'text');
    const held = openSync(old.file('f'), 'r+');
    old.process.kill('SIGTERM');
    await until('it is unmounted', () => ourMountAt(old.path) === undefined);
    await using next = await DiskMount.start({ inPlaceOf: old });
    assert.equal(readFileSync(held, 'utf8'), 'text');
    closeSync(held);
    await ended(old);
    assert.equal((await next.state()).mountPoint, next.path);
    assert.equal(readFileSync(next.file('f'), 'utf8'), 'text');
  });

  test('asked to end after it was unmounted, it unmounts nobody else', async () => {
    await using old = await DiskMount.start();
    writeFileSync(old.file('f'), 'text');
    const held = openSync(old.file('f'), 'r+');
    spawnSync('umount', ['--lazy', old.path]);
    assert.equal(ourMountAt(old.path), undefined);
    await using next = await DiskMount.start({ inPlaceOf: old });
    old.process.kill('SIGTERM');
    closeSync(held);
    await ended(old);
    assert.equal((await next.state()).mountPoint, next.path);
    assert.notEqual(ourMountAt(next.path), undefined);
  });
});
