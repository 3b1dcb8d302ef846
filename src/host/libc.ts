import koffi from 'koffi';

/*
 * The few calls of the C library that Node does not offer. Structures are plain buffers, so that two
 * modules can never declare the same type name twice.
 */
const libc = koffi.load('libc.so.6');
const flockCall = libc.func('int flock(int fd, int operation)');
const mallocTrim = libc.func('int malloc_trim(size_t pad)');
const sigprocmask = libc.func('int sigprocmask(int how, uint8_t *set, _Out_ uint8_t *before)');
const pipe2 = libc.func('int pipe2(_Out_ uint8_t *fds, int flags)');

const LOCK_EX = 2;
const LOCK_NB = 4;
const O_CLOEXEC = 0o2000000;
const EWOULDBLOCK = 11;
const SIG_SETMASK = 2;
/** sizeof(sigset_t) of glibc and of musl. */
const SIGNAL_SET_BYTES = 128;

/**
 * flock(2), exclusive, without waiting. The lock belongs to the open file: it goes when the process
 * does, however it dies. @returns false where another holds it.
 */
export function tryLock(fd: number): boolean {
  if (flockCall(fd, LOCK_EX | LOCK_NB) === 0) return true;
  if (koffi.errno() === EWOULDBLOCK) return false;
  throw new Error(`flock: errno ${koffi.errno()}`);
}

/** pipe2(2) with close-on-exec: [read end, write end]. */
export function makePipe(): [number, number] {
  const fds = Buffer.alloc(8);
  if (pipe2(fds, O_CLOEXEC) !== 0) throw new Error(`pipe2: errno ${koffi.errno()}`);
  return [fds.readInt32LE(0), fds.readInt32LE(4)];
}

/**
 * Runs what does not bear EINTR. Signals wait until it is over, or go to other threads: Linux masks those
 * of the calling thread alone (sigprocmask(2)).
 */
export function withoutSignals<T>(act: () => T): T {
  const before = Buffer.alloc(SIGNAL_SET_BYTES);
  sigprocmask(SIG_SETMASK, Buffer.alloc(SIGNAL_SET_BYTES, 0xff), before);
  try {
    return act();
  } finally {
    sigprocmask(SIG_SETMASK, before, Buffer.alloc(SIGNAL_SET_BYTES));
  }
}

/** malloc_trim(3): free memory goes back to the machine. */
export function giveBackMemory(): void {
  mallocTrim(0);
}
