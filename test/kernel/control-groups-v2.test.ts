import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lacks, ROOT } from '../support/needs.ts';

const TIMEOUT_MS = 120_000;
const MOUNT =
  'mount --make-rprivate / && umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"';
const alone = existsSync('/sys/fs/cgroup/cgroup.controllers');

/** Where this machine also has version 1, version 2 is shown alone in a mount namespace. */
const skip = alone
  ? 'control-groups.test.ts is about this machine already'
  : lacks('root', 'cgroups');

test('the same with control groups of version 2 alone', { skip }, () => {
  const file = join(ROOT, 'test/kernel/control-groups.test.ts');
  const argv = ['--mount', 'sh', '-c', MOUNT, 'sh', process.execPath, '--test', file];
  // A test runner that finds itself in another one tells it, in a code, and not its standard output.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const ran = spawnSync('unshare', argv, { encoding: 'utf8', env, timeout: TIMEOUT_MS });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /pass 2/);
});
