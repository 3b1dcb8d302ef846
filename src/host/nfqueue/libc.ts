import koffi from 'koffi';

/**
 * The calls of the packet loop, synchronous and by address: pointers are plain numbers (user space
 * addresses have 47 bits), so that a call allocates nothing. glibc, 64 bits, little-endian.
 */
const library = koffi.load('libc.so.6');

type Call = (...args: number[]) => number;

function bind(prototype: string): Call {
  const call = library.func(prototype) as Call;
  return call;
}

export const libc = {
  socket: bind('int socket(int domain, int type, int protocol)'),
  socketpair: bind('int socketpair(int domain, int type, int protocol, int64 pair)'),
  bind: bind('int bind(int fd, int64 address, uint length)'),
  setsockopt: bind('int setsockopt(int fd, int level, int name, int64 value, uint length)'),
  send: bind('int64 send(int fd, int64 buffer, int64 length, int flags)'),
  sendto: bind(
    'int64 sendto(int fd, int64 buffer, int64 length, int flags, int64 address, uint size)',
  ),
  recv: bind('int64 recv(int fd, int64 buffer, int64 length, int flags)'),
  recvmmsg: bind('int recvmmsg(int fd, int64 messages, uint count, int flags, int64 timeout)'),
  ppoll: bind('int ppoll(int64 descriptors, uint64 count, int64 timeout, int64 mask)'),
  close: bind('int close(int fd)'),
  schedSetscheduler: bind('int sched_setscheduler(int pid, int policy, int64 parameter)'),
  prctl: bind('int prctl(int option, int64 value, int64 b, int64 c, int64 d)'),
  unshare: bind('int unshare(int flags)'),
};

export const EAGAIN = 11;
export const EINTR = 4;
export const MSG_DONTWAIT = 0x40;
export const MSG_WAITFORONE = 0x10000;

export function lastErrno(): number {
  return koffi.errno();
}

/** 'EPERM' and so on. */
export function errnoName(errno: number): string {
  const found = Object.entries(koffi.os.errno).find(([, value]) => value === errno);
  return found?.[0] ?? `errno ${errno}`;
}

/** Where the bytes of an array are: it must outlive every use of the address. */
export function addressOf(bytes: Uint8Array): number {
  return Number(koffi.address(bytes));
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_NETFILTER = 12;

/** A netlink socket to netfilter. @throws Error with the errno's name. */
export function openNetfilter(): number {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) throw new Error(`a netlink socket: ${errnoName(lastErrno())}`);
  return fd;
}
