import assert from 'node:assert/strict';
import { chmodSync, chownSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
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
const NOBODY = 65_534;

interface Place {
  plain: string;
  mounted: string;
}

function places(mount: DiskMount, name: string, uid = 0): Place {
  const plain = join(mount.directory, `plain-${name}`);
  const mounted = mount.file(name);
  for (const directory of [plain, mounted]) {
    mkdirSync(directory);
    chownSync(directory, uid, uid);
  }
  return { plain, mounted };
}

/**
 * pjdfstest asks df(1) for the type, and asks an ext4 more than a type whose name it does not know. With
 * this one first in the path both places are ext4, so that both are asked the same.
 */
function typeIsExt4(directory: string): string {
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  const script = '#!/bin/sh\necho Filesystem Type\necho any ext4\n';
  writeFileSync(join(bin, 'df'), script, { mode: 0o755 });
  return bin;
}

/** What became of each case of one file, from its TAP; of one that failed, what was expected, and got. */
async function cases(script: string, cwd: string, bin: string, uid: number): Promise<string[]> {
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  const { out } = await run(['sh', script], { cwd, env, uid, gid: uid });
  assert.match(out, /^1\.\.\d+$/m, script);
  const lines = out.matchAll(/^((?:not )?ok \d+)(?:.*?(# T[O]DO|expected .+, got .+))?/gm);
  // Inodes have other numbers; those of 65533 and 65534 are users.
  const plain = (text = ''): string => text.replace(/\b(?!6553[34]\b)[1-9]\d{3,}\b/g, '#');
  return [...lines].map((line) => [line[1], plain(line[2])].join(' ').trim());
}

describe("others' suites", { skip: lacks('root', 'fuse'), concurrency: false }, () => {
  const pjd = { skip: lacks('long', 'pjdfstest'), timeout: 3_600_000 };
  for (const [who, uid] of [
    ['root', 0],
    ['nobody', NOBODY],
  ] as const) {
    test(`pjdfstest as ${who}: case for case as in the plain directory`, pjd, async (t) => {
      const root = process.env['PJDFSTEST_DIR'] ?? '';
      const scripts = globSync('tests/**/*.t', { cwd: root }).toSorted();
      assert.ok(scripts.length > 100);
      await using mount = await DiskMount.start();
      chmodSync(mount.directory, 0o755);
      const { plain, mounted } = places(mount, 'suite', uid);
      const bin = typeIsExt4(mount.directory);
      const counts = { cases: 0, failed: 0 };
      for (const script of scripts) {
        const path = join(root, script);
        const [there, here] = [
          await cases(path, plain, bin, uid),
          await cases(path, mounted, bin, uid),
        ];
        assert.deepEqual(here, there, script);
        counts.cases += here.length;
        counts.failed += here.filter((one) => /^not ok \d+(?!.*# T[O]DO)/.test(one)).length;
      }
      t.diagnostic(`${scripts.length} files, ${JSON.stringify(counts)} in each place`);
    });
  }

  test('fsx: thousands of steps', { skip: lacks('fsx'), timeout: 600_000 }, async () => {
    await using mount = await DiskMount.start();
    chmodSync(mount.directory, 0o755);
    for (const [who, uid] of [
      ['root', 0],
      ['nobody', NOBODY],
    ] as const) {
      const { mounted } = places(mount, who, uid);
      for (const seed of FSX_SEEDS) {
        const argv = ['-q', '-N', String(FSX_STEPS), '-S', String(seed), '-l', '1000000'];
        const file = join(mounted, `f${seed}`);
        const { code, out, error } = await run([process.env['FSX_BIN'] ?? '', ...argv, file], {
          cwd: mounted,
          uid,
          gid: uid,
        });
        assert.equal(code, 0, `${who}, seed ${seed}: ${out}${error}`);
      }
    }
  });
});
