import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { freeWhatHasLeft } from '../../../src/host/kafka/free-written.ts';
import { Certificates } from '../../support/certificates.ts';
import { lacks } from '../../support/needs.ts';
import { until } from '../../support/until.ts';

const LARGE = 4_000_000;

/** A server that reads slowly at first, so that not all of it has room in the kernel. */
async function allArrives(server: Server, dial: (port: number) => Socket): Promise<void> {
  const chunks: Buffer[] = [];
  server.on('connection', (socket: Socket) => socket.on('error', () => undefined));
  const read = (socket: Socket): void => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).pause();
    setTimeout(() => socket.resume(), 50);
  };
  server.on(server.listenerCount('secureConnection') > 0 ? 'secureConnection' : 'connection', read);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = dial((server.address() as AddressInfo).port);
  try {
    await new Promise((resolve, reject) => socket.once('ready', resolve).once('error', reject));
    freeWhatHasLeft(socket);
    const payloads = [1, 2, 3].map((byte) => Buffer.alloc(LARGE, byte));
    const small = Buffer.from('small, and of a pool');
    const wanted = Buffer.concat([...payloads, small]);
    for (const payload of [...payloads, small]) socket.write(payload);
    assert.deepEqual(
      payloads.map(({ byteLength }) => byteLength),
      [LARGE, LARGE, LARGE],
    );
    const received = (): number => chunks.reduce((sum, { length }) => sum + length, 0);
    await until('all of it', () => received() === wanted.length);
    assert.ok(Buffer.concat(chunks).equals(wanted));
    await until('they are given back', () => payloads.every(({ byteLength }) => byteLength === 0));
    assert.equal(small.toString(), 'small, and of a pool');
  } finally {
    socket.destroy();
    server.close();
  }
}

test('what has left is given back, and all of it arrives', () =>
  allArrives(createServer(), (port) => connect(port, '127.0.0.1')));

test('so it does over TLS', { skip: lacks('openssl') }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-free-'));
  try {
    const pem = readFileSync(new Certificates(directory).sign('broker', ['IP:127.0.0.1']));
    const server = createTlsServer({ key: pem, cert: pem }, () => undefined);
    const options = { host: '127.0.0.1', rejectUnauthorized: false };
    await allArrives(server, (port) => connectTls({ ...options, port }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
