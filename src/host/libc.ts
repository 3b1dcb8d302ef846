import koffi from 'koffi';

/*
 * The few calls of the C library that Node does not offer. Structures are plain buffers, so that two
 * modules can never declare the same type name twice.
 */
const libc = koffi.load('libc.so.6');
const flockCall = libc.func('int flock(int fd, int operation)');
const mallocTrim = libc.func('int malloc_trim(size_t pad)');
const pipe2 = libc.func('int pipe2(_Out_ uint8_t *fds, int flags)');

const LOCK_EX = 2;
const LOCK_NB = 4;
const O_CLOEXEC = 0o2000000;
const EWOULDBLOCK = 11;

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

/** malloc_trim(3): free memory goes back to the machine. */
export function giveBackMemory(): void {
  mallocTrim(0);
}
