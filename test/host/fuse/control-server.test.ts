import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Control } from '../../../src/host/fuse/control.ts';
import { serveControl } from '../../../src/host/fuse/control-server.ts';

test("only root comes to a mount's control, also where its directory was open before", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-control-'));
  const disk = join(directory, 'disk');
  mkdirSync(disk);
  chmodSync(disk, 0o777);
  const path = join(disk, 'control.sock');
  const server = await serveControl(Promise.resolve({} as Control), path, () => undefined);
  try {
    assert.equal(statSync(disk).mode & 0o777, 0o700);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
});
