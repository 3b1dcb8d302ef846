/** Sends and receives in a namespace, told by JSON lines on standard input: see net-peer-client.ts. */
import { readQuery, writeReply } from '../../src/core/codec/dns.ts';
import { createSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const sockets = new Map<string, Socket>();
const received = new Map<number, number>();

const listening = new Set<number>();

function listen(port: number): Promise<string> {
  if (listening.has(port)) return Promise.resolve('listening');
  listening.add(port);
  return new Promise((resolve) => {
    const server = createServer((socket) =>
      socket.on('error', () => socket.destroy()).pipe(socket),
    );
    server.listen(port, '::', () => resolve('listening'));
  });
}

function udpListen(port: number): Promise<string> {
  const isThere = received.has(port);
  received.set(port, 0);
  if (isThere) return Promise.resolve('listening');
  return new Promise((resolve) => {
    const socket = createSocket({ type: 'udp6', recvBufferSize: 4_000_000 });
    socket.on('message', () => received.set(port, (received.get(port) ?? 0) + 1));
    socket.bind(port, '::', () => resolve('listening'));
  });
}

/** 'open', 'refused' or 'silent'. Keeps the socket under a name, if one is given. */
function open(host: string, port: number, waitMs: number, name?: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (word: string): void => {
      resolve(word);
      if (name === undefined || word !== 'open') socket.destroy();
      else sockets.set(name, socket.setNoDelay());
    };
    socket.once('connect', () => end('open')).on('error', () => end('refused'));
    setTimeout(() => end(socket.connecting ? 'silent' : 'open'), waitMs).unref();
  });
}

/** 'echoed', 'broken' (reset) or 'silent': one byte over a kept connection and back. */
function echo(name: string, waitMs: number): Promise<string> {
  const socket = sockets.get(name);
  if (!socket) return Promise.resolve('no such connection');
  if (socket.destroyed) return Promise.resolve('broken');
  return new Promise((resolve) => {
    socket.once('data', () => resolve('echoed')).once('close', () => resolve('broken'));
    socket.write('x');
    setTimeout(() => resolve('silent'), waitMs);
  });
}

/** Floods until told to end; answers with what was sent. */
function flood(host: string, port: number): () => number {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  let [sent, going] = [0, true];
  const next = (): void => {
    if (!going) return void socket.close();
    for (let burst = 0; burst < 20; burst++) socket.send('x', port, host);
    sent += 20;
    setImmediate(next);
  };
  next();
  return () => {
    going = false;
    return sent;
  };
}

/** A resolver of the real world: to every question the address, over UDP and TCP. */
function dnsServe(address: string): Promise<string> {
  const answer = (message: Buffer): Uint8Array => {
    const question = readQuery(message);
    if (!question) throw new Error('no question');
    return writeReply(message, question, { address }) ?? message;
  };
  const udp = createSocket('udp6');
  udp.on('message', (message, from) => udp.send(answer(message), from.port, from.address));
  const tcp = createServer((socket) => {
    socket
      .on('error', () => socket.destroy())
      .on('data', (data) => {
        const reply = answer(data.subarray(2));
        socket.write(Buffer.concat([Buffer.from([0, reply.length]), reply]));
      });
  });
  return new Promise((resolve) => {
    udp.bind(53, '::', () => tcp.listen(53, '::', () => resolve('serving')));
  });
}

/** The address of a name (A), or the code of what went wrong, over UDP or TCP. */
function resolveName(server: string, name: string, tcp: boolean): Promise<string> {
  const labels = name.split('.').map((label) => `${String.fromCharCode(label.length)}${label}`);
  const query = Buffer.concat([
    Buffer.from([7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    Buffer.from(`${labels.join('')}\0`, 'latin1'),
    Buffer.from([0, 1, 0, 1]),
  ]);
  const read = (reply: Buffer): string =>
    (reply[7] ?? 0) > 0 ? [...reply.subarray(-4)].join('.') : `rcode ${(reply[3] ?? 0) & 15}`;
  return new Promise((resolve) => {
    setTimeout(() => resolve('silent'), 3_000);
    if (tcp) {
      const socket = connect(53, server, () =>
        socket.write(Buffer.concat([Buffer.from([0, query.length]), query])),
      );
      socket.on('error', () => resolve('broken'));
      socket.on('data', (reply) => {
        resolve(read(reply.subarray(2)));
        socket.destroy();
      });
      return;
    }
    const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (reply) => {
      resolve(read(reply));
      socket.close();
    });
    socket.send(query, 53, server);
  });
}

let endFlood: (() => number) | undefined;

async function answer(command: Record<string, unknown>): Promise<unknown> {
  const [host, name] = [String(command['host']), command['name'] as string | undefined];
  const [port, waitMs] = [Number(command['port']), Number(command['waitMs'])];
  switch (command['do']) {
    case 'listen':
      return listen(port);
    case 'udpListen':
      return udpListen(port);
    case 'udpCount':
      return received.get(port);
    case 'open':
      return open(host, port, waitMs, name);
    case 'echo':
      return echo(name ?? '', waitMs);
    case 'flood':
      endFlood = flood(host, port);
      return 'flooding';
    case 'dnsServe':
      return dnsServe(host);
    case 'resolve':
      return resolveName(String(command['server']), host, command['tcp'] === true);
    case 'endFlood':
      return endFlood?.();
    default:
      return 'unknown command';
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Record<string, unknown>;
  void answer(command).then((value) =>
    process.stdout.write(`${JSON.stringify({ id: command['id'], value })}\n`),
  );
}
process.exit(0);
