import assert from 'node:assert/strict';
import { test } from 'node:test';
import { superviseMount } from '../../../src/host/fuse/supervise.ts';

test('a file system whose process cannot be started is told of', async () => {
  const node = process.execPath;
  try {
    process.execPath = '/nowhere/node';
    const code = superviseMount('mount.ts', [], '/nowhere/mount', () => assert.fail('ready'));
    await assert.rejects(code, { code: 'mount-not-started', message: /ENOENT/ });
  } finally {
    process.execPath = node;
  }
});
