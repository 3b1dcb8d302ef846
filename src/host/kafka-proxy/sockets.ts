import { isIPv6, Socket } from 'node:net';
import koffi from 'koffi';
import { Failure } from '../../core/base/failure.ts';
import { errnoName } from '../linux/libc.ts';
import { Intake, type ReadSocket } from './intake.ts';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const connect = libc.func('int connect(int fd, _In_ uint8_t *address, uint32_t size)');
const setsockopt = libc.func(
  'int setsockopt(int fd, int level, int name, _In_ uint8_t *value, uint32_t size)',
);
const getsockopt = libc.func(
  'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *size)',
);
const close = libc.func('int close(int fd)');
const fcntl = libc.func('int fcntl(int fd, int command, int argument)');

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_MARK = 36;
const SOL_IP = 0;
const SOL_IPV6 = 41;
/** linux/netfilter_ipv4.h and netfilter_ipv6/ip6_tables.h use the same number. */
const SO_ORIGINAL_DST = 80;
const EINPROGRESS = 115;
const F_DUPFD_CLOEXEC = 1030;

/**
 * Of every socket of a proxy: whatever the kernel does not take at once is waited for, so that what was
 * read into can be read into again. What is under way is in the kernel's buffers, which are large.
 */
export const BUFFERED = { writableHighWaterMark: 1, noDelay: true };

export interface Destination {
  host: string;
  port: number;
}

/** An IPv6 address in full, as 16 bytes. */
function bytes6(host: string): Buffer {
  const [head = '', tail] = host.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of all.entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
}

/** struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)): only the family is in the machine's order. */
function sockaddr({ host, port }: Destination): Buffer {
  const six = isIPv6(host);
  const bytes = Buffer.alloc(six ? 28 : 16);
  bytes.writeUInt16LE(six ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  if (six) bytes6(host).copy(bytes, 8);
  else for (const [index, part] of host.split('.').entries()) bytes[4 + index] = Number(part);
  return bytes;
}

/**
 * Opens a connection whose packets carry a mark (SO_MARK, socket(7)), so that a rule can tell them
 * from others. Node has no word for it, so the socket is made here and handed over while it connects.
 * @param to an IP address, not a name. @throws Failure 'socket-refused'
 */
export function connectMarked(to: Destination, mark: number, intake?: Intake): Socket {
  const domain = isIPv6(to.host) ? AF_INET6 : AF_INET;
  const fd = Number(socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const fail = (what: string): Failure => {
    const reason = errnoName(koffi.errno());
    if (fd >= 0) close(fd);
    return new Failure('socket-refused', `${what} for ${to.host}:${to.port}: ${reason}`, {
      definite: true,
    });
  };
  if (fd < 0) throw fail('socket');
  const value = Buffer.alloc(4);
  value.writeUInt32LE(mark);
  if (setsockopt(fd, SOL_SOCKET, SO_MARK, value, 4) !== 0) throw fail('SO_MARK');
  const address = sockaddr(to);
  if (connect(fd, address, address.length) !== 0 && koffi.errno() !== EINPROGRESS) {
    throw fail('connect');
  }
  return socketOf(fd, intake);
}

function socketOf(fd: number, intake: Intake | undefined): Socket {
  const options = { ...BUFFERED, fd, readable: true, writable: true, allowHalfOpen: true };
  return new Socket(intake === undefined ? options : { ...options, onread: intake.onread });
}

/**
 * Takes over an accepted connection, so that it is read our way: Node lets only sockets choose that
 * are made by hand. @param accepted paused; it must not be used any more.
 */
export function adopt(accepted: Socket): ReadSocket {
  const fd = descriptorOf(accepted);
  const own = fd === undefined ? -1 : Number(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (own < 0) return { socket: accepted };
  accepted.destroy();
  const intake = new Intake();
  return { socket: socketOf(own, intake).setNoDelay(true), intake };
}

/** The file descriptor of an open socket; undefined where it has none (any more). */
function descriptorOf(of: Socket): number | undefined {
  const handle = (of as { _handle?: { fd?: number } | null })._handle;
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}

/** Where a redirected connection was meant to go; undefined: it was not redirected. */
export function originalDestination(of: Socket): Destination | undefined {
  const fd = descriptorOf(of);
  if (fd === undefined) return undefined;
  const local = of.localAddress ?? '';
  const six = isIPv6(local) && !local.startsWith('::ffff:');
  const bytes = Buffer.alloc(28);
  const size = [bytes.length];
  if (getsockopt(fd, six ? SOL_IPV6 : SOL_IP, SO_ORIGINAL_DST, bytes, size) !== 0) return undefined;
  const port = bytes.readUInt16BE(2);
  if (!six) return { host: bytes.subarray(4, 8).join('.'), port };
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(8 + index * 2));
  return { host: groups.map((group) => group.toString(16)).join(':'), port };
}
