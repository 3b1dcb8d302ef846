import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe, test } from 'node:test';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';

const skip = lacks('root', 'fuse');
const options = { trackUnsynced: true };

function sync(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

function create(path: string, text: string): void {
  writeFileSync(path, text);
  sync(path);
}

/** Names and what they hold, as the mount and as the directory underneath have it: the same. */
function contents(mount: DiskMount): Record<string, string> {
  const found: Record<string, string> = {};
  const roots = [mount.path, mount.target].map((root) => {
    const all = readdirSync(root, { recursive: true, withFileTypes: true });
    return all.map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length + 1)).sort();
  });
  assert.deepEqual(roots[0], roots[1]);
  for (const name of roots[0] ?? []) {
    const isFile = statSync(mount.file(name)).isFile();
    found[name] = isFile ? readFileSync(mount.file(name), 'utf8') : '/';
  }
  return found;
}

describe('a power cut on a real mount', { skip, concurrency: false }, () => {
  test('data that was never fsynced is gone', async () => {
    await using mount = await DiskMount.start({ options });
    const path = mount.file('p.log');
    const fd = openSync(path, 'w+');
    writeSync(fd, 'synced ');
    fsyncSync(fd);
    writeSync(fd, 'unsynced');
    writeSync(fd, 'S', 0);
    closeSync(fd);
    const lost = await mount.powerCut('all');
    assert.deepEqual(
      lost.files.map((file) => [file.path, file.truncated]),
      [['p.log', 8]],
    );
    assert.equal(readFileSync(path, 'utf8'), 'synced ');
  });

  test('what was done to names is undone: create, mkdir, rename, unlink, link, rmdir', async () => {
    await using mount = await DiskMount.start({ options });
    mkdirSync(mount.file('old'));
    mkdirSync(mount.file('empty'), 0o750);
    mkdirSync(mount.file('logs'));
    create(mount.file('old/0.log'), 'records');
    create(mount.file('checkpoint'), 'version 1');
    create(mount.file('first'), 'two names');
    symlinkSync('first', mount.file('link'));
    for (const directory of ['', 'old', 'logs', 'empty']) sync(mount.file(directory));
    const before = contents(mount);

    writeFileSync(mount.file('new'), 'never synced');
    mkdirSync(mount.file('deep/er'), { recursive: true });
    writeFileSync(mount.file('deep/er/f'), 'x');
    create(mount.file('checkpoint.tmp'), 'version 2');
    renameSync(mount.file('checkpoint.tmp'), mount.file('checkpoint'));
    writeFileSync(mount.file('old/0.log'), 'overwritten, then removed');
    unlinkSync(mount.file('old/0.log'));
    rmdirSync(mount.file('old'));
    rmdirSync(mount.file('empty'));
    linkSync(mount.file('first'), mount.file('second'));
    unlinkSync(mount.file('first'));
    unlinkSync(mount.file('link'));
    renameSync(mount.file('logs'), mount.file('logs-delete'));
    writeFileSync(mount.file('logs-delete/1.log'), 'in a directory that moved');

    const { names } = await mount.powerCut('all');
    assert.deepEqual(
      names.filter((name) => name.errno !== undefined),
      [],
    );
    // The tmp file was fsynced: it keeps a name, the one it was synced under.
    assert.deepEqual(contents(mount), { ...before, 'checkpoint.tmp': 'version 2' });
    assert.equal(statSync(mount.file('empty')).mode & 0o777, 0o750);
    assert.equal(readlinkSync(mount.file('link')), 'first');
    assert.equal(statSync(mount.file('first')).nlink, 1);
    // A second cut has nothing to lose.
    const second = await mount.powerCut('all');
    assert.deepEqual([second.files, second.names], [[], []]);
  });

  test('what was fsynced stays, by each of the three models', async () => {
    await using mount = await DiskMount.start({ options });
    const expected: [string, string[]][] = [
      ['posix', []],
      ['own', ['own', 'own/f', 'synced', 'synced/f']],
      ['journal', ['early', 'own', 'own/f', 'synced', 'synced/f']],
    ];
    for (const [model, kept] of expected) {
      writeFileSync(mount.file('early'), '');
      mkdirSync(mount.file('own'));
      create(mount.file('own/f'), 'f');
      mkdirSync(mount.file('synced'));
      create(mount.file('synced/f'), 'f');
      sync(mount.file('synced'));
      writeFileSync(mount.file('synced/late'), '');
      await mount.powerCut('all', 1, model);
      assert.deepEqual(Object.keys(contents(mount)), kept, model);
      for (const name of readdirSync(mount.path)) rmSync(mount.file(name), { recursive: true });
      sync(mount.path);
    }
  });

  test('more than can be remembered is durable, and no half of it is undone', async () => {
    await using mount = await DiskMount.start({ options });
    const path = mount.file('large.log');
    const size = 2 ** 30;
    const fd = openSync(path, 'w+');
    writeSync(fd, 'end', size - 3);
    fsyncSync(fd);
    ftruncateSync(fd, 10);
    assert.deepEqual((await mount.powerCut('all')).files, []);
    assert.equal(statSync(`${mount.target}/large.log`).size, 10);
    writeSync(fd, 'unsynced', 10);
    closeSync(fd);
    const [lost] = (await mount.powerCut('all')).files;
    assert.deepEqual([lost?.path, lost?.truncated], ['large.log', 8]);
  });

  test('a file that can not be changed is told of', async () => {
    await using mount = await DiskMount.start({ options });
    writeFileSync(mount.file('f'), 'unsynced');
    sync(mount.path);
    rmSync(`${mount.target}/f`);
    const [lost] = (await mount.powerCut('all')).files;
    assert.deepEqual([lost?.path, lost?.errno], ['f', 2]);
  });

  test('a seeded subset: the same seed loses the same, and never tears a tree', async () => {
    await using mount = await DiskMount.start({ options });
    const results: string[] = [];
    for (const loss of ['subset', 'torn', 'reordered', 'subset']) {
      for (let index = 0; index < 12; index++) {
        mkdirSync(mount.file(`d${index}`));
        writeFileSync(mount.file(`d${index}/f`), 'x');
        renameSync(mount.file(`d${index}/f`), mount.file(`d${index}/g`));
      }
      const { names } = await mount.powerCut(loss, 7);
      assert.ok(names.every((name) => name.errno === undefined));
      const left = Object.keys(contents(mount));
      results.push(left.join(' '));
      for (const name of readdirSync(mount.path)) rmSync(mount.file(name), { recursive: true });
      sync(mount.path);
    }
    assert.equal(results[0], results[3]);
    assert.ok(results.every((left) => left !== ''));
  });

  test('an open file that was removed reads on; nothing is left in the directory', async () => {
    await using mount = await DiskMount.start({ options });
    create(mount.file('held'), 'still here');
    sync(mount.path);
    const fd = openSync(mount.file('held'), 'r');
    unlinkSync(mount.file('held'));
    assert.equal(readFileSync(fd, 'utf8'), 'still here');
    assert.deepEqual(readdirSync(mount.target), []);
    closeSync(fd);
    await mount.powerCut('all');
    assert.equal(readFileSync(mount.file('held'), 'utf8'), 'still here');
    unlinkSync(mount.file('held'));
    sync(mount.path);
    await mount.powerCut('all');
    assert.equal(existsSync(mount.file('held')), false);
  });
});
