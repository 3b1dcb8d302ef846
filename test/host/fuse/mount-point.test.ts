import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { canonicalMountPoint } from '../../../src/host/fuse/control-client.ts';

test('a mount point has one name, whichever links lead to it', () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'faultline-names-')));
  const at = (...parts: string[]): string => join(directory, ...parts);
  try {
    mkdirSync(at('real', 'd1'), { recursive: true });
    symlinkSync('real', at('parent'));
    symlinkSync('../parent/d1', at('real', 'link'));
    symlinkSync(at('real', 'link'), at('far'));
    symlinkSync('round', at('round'));
    for (const name of ['real/d1', 'parent/d1', 'real/link', 'far', 'real/../far/', 'far/.'])
      assert.equal(canonicalMountPoint(at(name)), at('real', 'd1'), name);
    assert.equal(canonicalMountPoint(at('missing')), at('missing'));
    assert.equal(canonicalMountPoint(at('round')), at('round'));
    assert.equal(canonicalMountPoint('/'), '/');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
