import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeDeadSocket, removeDeadSockets } from '../../../src/host/fuse/dead-sockets.ts';
import { inDirectory } from '../../support/in-directory.ts';

async function listenAt(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(`${path}-begun`, resolve));
  renameSync(`${path}-begun`, path);
  return server;
}

/** Leaves a socket as who is killed does: closed, but not removed. */
async function leaveAt(path: string): Promise<void> {
  const server = await listenAt(path);
  await new Promise((resolve) => server.close(resolve));
}

test('sockets that nobody listens at are removed, others stay', () =>
  inDirectory(async (directory) => {
    const at = (name: string): string => join(directory, name);
    const living = await Promise.all(['a.sock', 'b.sock.12'].map((name) => listenAt(at(name))));
    for (const name of ['c.sock', 'd.sock.12', 'e.sock.12.7.dead', 'f.other']) {
      await leaveAt(at(name));
    }
    // Between bind and listen, who is starting looks like who is dead.
    await removeDeadSockets(directory);
    const young = ['d.sock.12', 'e.sock.12.7.dead'];
    assert.deepEqual(readdirSync(directory), ['a.sock', 'b.sock.12', ...young, 'f.other']);
    await removeDeadSockets(directory, Date.now() + 120_000);
    assert.deepEqual(readdirSync(directory), ['a.sock', 'b.sock.12', 'f.other']);
    for (const server of living) server.close();
  }));

test('where there is no such directory, there is nothing to do', () =>
  removeDeadSockets('/nowhere/at/all'));

test('one that takes the place of a dead one meanwhile stays', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'a.sock');
    await leaveAt(path);
    const next = await listenAt(join(directory, 'next'));
    const removed = removeDeadSocket(path);
    renameSync(join(directory, 'next'), path);
    await removed;
    assert.ok(existsSync(path));
    assert.deepEqual(readdirSync(directory), ['a.sock']);
    next.close();
  }));

test('several that remove the same one do no harm', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'a.sock');
    await leaveAt(path);
    await Promise.all([removeDeadSocket(path), removeDeadSocket(path), removeDeadSocket(path)]);
    assert.deepEqual(readdirSync(directory), []);
  }));
