import { TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';

/** Four times what Node reads at once by itself; only what is used of it takes memory. */
const READ_MAX = 256 * 1024;

/**
 * Where a socket reads to: one buffer again and again, as long as what was read has gone on before the
 * socket is read again. The reader keeps nothing of it.
 */
export class Intake {
  #buffer = Buffer.allocUnsafeSlow(READ_MAX);
  #take: ((chunk: Buffer) => boolean) | undefined;

  /** For the options of a Socket that is to be read so. */
  get onread() {
    return {
      buffer: (): Buffer => this.#buffer,
      callback: (size: number): boolean => {
        const gone = this.#take?.(this.#buffer.subarray(0, size)) ?? true;
        if (!gone) this.#buffer = Buffer.allocUnsafeSlow(READ_MAX);
        return true;
      },
    };
  }

  /** @param take returns whether nobody needs the bytes by the time of the next read. */
  begin(take: (chunk: Buffer) => boolean): void {
    this.#take = take;
  }
}

/** A socket of a proxy, and how it is read. */
export interface ReadSocket {
  socket: Socket;
  /** Absent: it is read by its 'data' events. */
  intake?: Intake;
}

/** Reads a socket from here on. @param take as in Intake. */
export function readFrom({ socket, intake }: ReadSocket, take: (chunk: Buffer) => boolean): void {
  if (intake === undefined || socket instanceof TLSSocket) {
    socket.on('data', (chunk) => void take(chunk));
    return;
  }
  intake.begin(take);
  socket.resume();
}
