/**
 * Sends or receives datagrams with a timestamp in each, by system calls that cost little beside what
 * is measured: `datagrams.ts send ADDRESS PORT COUNT PER_SECOND` (0: as fast as it goes) or
 * `datagrams.ts receive PORT`, which ends when nothing has come for a second. One line of JSON.
 */
import { addressOf, lastErrno, libc } from '../../src/host/nfqueue/libc.ts';
import koffi from 'koffi';

const sendmmsg = koffi
  .load('libc.so.6')
  .func('int sendmmsg(int fd, int64 messages, uint count, int flags)') as (
  ...args: number[]
) => number;

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIZE = 64;
const BATCH = 64;
const QUIET_MS = 1_000;
const TICK_MS = 0.2;

const nowMs = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};

function socketAddress(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  for (const [index, part] of address.split('.').entries()) bytes[4 + index] = Number(part);
  return bytes;
}

/** Everything that the kernel is told the address of. */
const kept: Buffer[] = [];

/** mmsghdr structures over slots of one buffer. @returns their address. */
function batch(slots: Buffer, name?: Buffer): number {
  const iovecs = Buffer.alloc(16 * BATCH);
  const headers = Buffer.alloc(64 * BATCH);
  for (let index = 0; index < BATCH; index++) {
    iovecs.writeBigUInt64LE(BigInt(addressOf(slots) + index * SIZE), index * 16);
    iovecs.writeBigUInt64LE(BigInt(SIZE), index * 16 + 8);
    if (name) {
      headers.writeBigUInt64LE(BigInt(addressOf(name)), index * 64);
      headers.writeUInt32LE(name.length, index * 64 + 8);
    }
    headers.writeBigUInt64LE(BigInt(addressOf(iovecs) + index * 16), index * 64 + 16);
    headers.writeBigUInt64LE(1n, index * 64 + 24);
  }
  kept.push(iovecs, headers, slots, ...(name ? [name] : []));
  return addressOf(headers);
}

/** Sleeps to the microsecond, as a real-time thread can. */
const pause = Buffer.alloc(16);
function sleepMs(ms: number): void {
  pause.writeBigInt64LE(BigInt(Math.max(1, Math.round(ms * 1e6))), 8);
  libc.ppoll(0, 0, addressOf(pause), 0);
}

function send(address: string, port: number, count: number, perSecond: number): object {
  const fd = libc.socket(AF_INET, SOCK_DGRAM, 0);
  const slots = Buffer.alloc(SIZE * BATCH);
  const name = socketAddress(address, port);
  const headers = batch(slots, name);
  const startedMs = nowMs();
  let sent = 0;
  while (sent < count) {
    const now = nowMs();
    const due = perSecond === 0 ? sent + BATCH : ((now - startedMs) * perSecond) / 1000;
    const some = Math.min(BATCH, count - sent, Math.floor(due) - sent);
    if (some <= 0) {
      sleepMs(TICK_MS);
      continue;
    }
    for (let index = 0; index < some; index++) slots.writeDoubleLE(now, index * SIZE);
    const done = sendmmsg(fd, headers, some, 0);
    if (done < 0) throw new Error(`sendmmsg: errno ${lastErrno()}`);
    sent += done;
  }
  return { sent, perSecond: Math.round(sent / ((nowMs() - startedMs) / 1000)) };
}

const at = (sorted: Float64Array, share: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 1000) /
  1000;

function receive(port: number): object {
  const fd = libc.socket(AF_INET, SOCK_DGRAM, 0);
  const size = Buffer.alloc(4);
  size.writeInt32LE(64 * 1024 * 1024);
  libc.setsockopt(fd, 1, 33, addressOf(size), 4);
  const name = socketAddress('0.0.0.0', port);
  if (libc.bind(fd, addressOf(name), name.length) !== 0) throw new Error('the port is taken');
  const limit = Buffer.alloc(16);
  limit.writeBigInt64LE(1n, 0);
  libc.setsockopt(fd, 1, 20, addressOf(limit), 16);
  const slots = Buffer.alloc(SIZE * BATCH);
  const headers = batch(slots);
  const tookMs = new Float64Array(4_000_000);
  let [count, quietSinceMs, firstMs, lastMs] = [0, Infinity, 0, 0];
  process.stdout.write('ready\n');
  while (nowMs() - quietSinceMs < QUIET_MS || quietSinceMs === Infinity) {
    const some = libc.recvmmsg(fd, headers, BATCH, 0x10000, 0);
    const now = nowMs();
    if (some <= 0) continue;
    for (let index = 0; index < some; index++)
      tookMs[count++] = now - slots.readDoubleLE(index * SIZE);
    if (firstMs === 0) firstMs = now;
    quietSinceMs = lastMs = now;
  }
  const sorted = tookMs.subarray(0, count).sort();
  return {
    received: count,
    perSecond: Math.round(count / ((lastMs - firstMs) / 1000)),
    p50: at(sorted, 0.5),
    p99: at(sorted, 0.99),
    p999: at(sorted, 0.999),
  };
}

const [role, ...rest] = process.argv.slice(2);
const result =
  role === 'send'
    ? send(rest[0] ?? '', Number(rest[1]), Number(rest[2]), Number(rest[3]))
    : receive(Number(rest[0]));
process.stdout.write(`${JSON.stringify(result)}\n`);
