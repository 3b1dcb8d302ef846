import koffi from 'koffi';

/** Symbols of the C library that Node has no word for. Numbers of syscalls are the same on x86-64 and arm64. */
const libc = koffi.load('libc.so.6');

const clockGettime = libc.func('int clock_gettime(int clock, _Out_ uint8_t *time)');
const sysconf = libc.func('sysconf', 'long', ['int']);
const closeFd = libc.func('close', 'int', ['int']);
const syscall = libc.func('syscall', 'long', ['long', 'long', 'long', 'long', 'long']);

const CLOCK_BOOTTIME = 7;
const SC_CLK_TCK = 2;
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;

/** An errno by its name: 'ESRCH'. */
export function errnoName(errno: number): string {
  const found = Object.entries(koffi.os.errno).find(([, value]) => value === errno);
  return found?.[0] ?? `errno ${errno}`;
}

const time = Buffer.alloc(16);

/** CLOCK_BOOTTIME in ms with its fraction: goes on during suspend, is set by nobody (clock_gettime(2)). */
export function boottimeMs(): number {
  clockGettime(CLOCK_BOOTTIME, time);
  return Number(time.readBigInt64LE(0)) * 1000 + Number(time.readBigInt64LE(8)) / 1e6;
}

/** Clock ticks of /proc a second (sysconf(3)). */
export function ticksPerSecond(): number {
  return Number(sysconf(SC_CLK_TCK));
}

/** pidfd_open(2). @returns the descriptor, or the name of the errno. */
export function pidfdOpen(pid: number): number | string {
  const fd = Number(syscall(SYS_PIDFD_OPEN, pid, 0, 0, 0));
  return fd >= 0 ? fd : errnoName(koffi.errno());
}

/** pidfd_send_signal(2). @returns undefined when sent, or the name of the errno. */
export function pidfdSendSignal(fd: number, signal: number): string | undefined {
  const sent = Number(syscall(SYS_PIDFD_SEND_SIGNAL, fd, signal, 0, 0));
  return sent === 0 ? undefined : errnoName(koffi.errno());
}

export function closeDescriptor(fd: number): void {
  closeFd(fd);
}
