import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Control } from '../../../src/host/fuse/control.ts';
import { serveControl, type ControlServer } from '../../../src/host/fuse/control-server.ts';

test("only root comes to a mount's control, also where its directory was open before", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-control-'));
  const disk = join(directory, 'disk');
  mkdirSync(disk);
  chmodSync(disk, 0o777);
  const path = join(disk, 'control.sock');
  const { server } = await serveControl(Promise.resolve({} as Control), path, () => undefined);
  try {
    assert.equal(statSync(disk).mode & 0o777, 0o700);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
});

async function answered(socketPath: string): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ socketPath, path: '/v1/disk', agent: false }, resolve).once('error', reject);
  });
  return text(response);
}

test('who ends takes no socket away but its own', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-control-'));
  const path = join(directory, 'disk', 'control.sock');
  const [old, next] = [{ state: () => 'old' }, { state: () => 'next' }];
  const serve = (control: object): Promise<ControlServer> =>
    serveControl(Promise.resolve(control as Control), path, () => undefined);
  const first = await serve(old);
  const second = await serve(next);
  try {
    first.server.close();
    first.remove();
    assert.equal(await answered(path), '"next"');
    second.server.close();
    second.remove();
    assert.equal(existsSync(path), false);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
