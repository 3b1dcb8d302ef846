import assert from 'node:assert/strict';
import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DiskMount, run } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';

/**
 * Suites of others, where the environment names an installation: PJDFSTEST_DIR (its tests in tests/)
 * and FSX_BIN. What counts is that mount and plain directory get the same result.
 */
const FSX_STEPS = 20_000;
const FSX_SEEDS = [1, 2, 3];

function places(mount: DiskMount): { plain: string; mounted: string } {
  const plain = join(mount.directory, 'plain');
  const mounted = mount.file('suite');
  mkdirSync(plain);
  mkdirSync(mounted);
  return { plain, mounted };
}

/**
 * The numbers of the cases that failed in one file, from its TAP. How many there are is its own
 * affair: it asks a file system of type ext4 about immutable files, too.
 */
async function failures(script: string, cwd: string): Promise<string> {
  const { out } = await run(['sh', script], { cwd });
  assert.match(out, /^1\.\.\d+$/m, script);
  const failed = [...out.matchAll(/^not ok (\d+)(?!.*# T[O]DO)/gm)].map((match) => match[1]);
  return failed.join(' ');
}

describe("others' suites", { skip: lacks('root', 'fuse'), concurrency: false }, () => {
  const pjd = { skip: lacks('long', 'pjdfstest'), timeout: 1_800_000 };
  test('pjdfstest: case for case as in the plain directory', pjd, async () => {
    const root = process.env['PJDFSTEST_DIR'] ?? '';
    const scripts = globSync('tests/**/*.t', { cwd: root }).toSorted();
    assert.ok(scripts.length > 100);
    await using mount = await DiskMount.start();
    const { plain, mounted } = places(mount);
    for (const script of scripts) {
      const path = join(root, script);
      assert.equal(await failures(path, mounted), await failures(path, plain), script);
    }
  });

  test('fsx: thousands of steps', { skip: lacks('fsx'), timeout: 600_000 }, async () => {
    await using mount = await DiskMount.start();
    const { mounted } = places(mount);
    for (const seed of FSX_SEEDS) {
      const argv = ['-q', '-N', String(FSX_STEPS), '-S', String(seed), '-l', '1000000'];
      const { code, out, error } = await run([
        process.env['FSX_BIN'] ?? '',
        ...argv,
        join(mounted, `f${seed}`),
      ]);
      assert.equal(code, 0, `seed ${seed}: ${out}${error}`);
    }
  });
});
