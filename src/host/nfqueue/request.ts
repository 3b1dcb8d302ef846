import { readAnswer } from '../../core/codec/netlink.ts';
import { addressOf, errnoName, lastErrno, libc } from './libc.ts';

const ANSWER_BYTES = 8192;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;

/** Where a read of the socket gives up. @param ms whole milliseconds. */
export function limitReceive(fd: number, ms: number): void {
  const limit = Buffer.alloc(16);
  limit.writeBigInt64LE(BigInt(Math.floor(ms / 1000)), 0);
  limit.writeBigInt64LE(BigInt((ms % 1000) * 1000), 8);
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, addressOf(limit), limit.length);
}

/**
 * Sends one request to netfilter and waits for the kernel's answer to it.
 * @returns undefined where it was done, or the errno's name.
 */
export function request(fd: number, bytes: Uint8Array, sequence: number): string | undefined {
  if (libc.send(fd, addressOf(bytes), bytes.length, 0) < 0) return errnoName(lastErrno());
  const buffer = Buffer.alloc(ANSWER_BYTES);
  for (let tries = 0; tries < 1000; tries++) {
    const length = libc.recv(fd, addressOf(buffer), buffer.length, 0);
    if (length < 0) return errnoName(lastErrno());
    const view = new DataView(buffer.buffer, buffer.byteOffset, length);
    const answer = readAnswer(view);
    // A packet that came before the answer is none of this request's business.
    if (answer?.sequence !== sequence) continue;
    return answer.errno === 0 ? undefined : errnoName(answer.errno);
  }
  return 'no answer';
}
