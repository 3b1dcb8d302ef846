import type { Socket } from 'node:net';

/** Smaller ones are left to the collector. */
const FREED_BYTES = 65_536;

/**
 * The library copies a request into one buffer, which nobody needs once the kernel has it: given back then,
 * and not when V8 next collects, which lets it come to 64 MB.
 */
export function freeWhatHasLeft(socket: Socket): void {
  const write = socket.write.bind(socket) as (bytes: Buffer, done: () => void) => boolean;
  const writeOnce = (payload: Buffer): boolean =>
    write(payload, () => {
      const { buffer, byteLength } = payload;
      const isItsOwn = byteLength >= FREED_BYTES && byteLength === buffer.byteLength;
      if (isItsOwn && buffer instanceof ArrayBuffer) buffer.transfer(0);
    });
  socket.write = writeOnce;
}
