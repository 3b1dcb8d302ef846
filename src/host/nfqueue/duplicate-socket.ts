import { addressOf, libc } from './libc.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const IPPROTO_RAW = 255;

/**
 * Sends copies of packets that came for this machine to this machine: whole packets with their
 * headers (raw(7)). They come in by the loopback device, which our rules except, and keep the route
 * they were sent with, so that no check of the source address stops them.
 */
export class DuplicateSocket {
  readonly #ipv4 = libc.socket(AF_INET, SOCK_RAW_CLOEXEC, IPPROTO_RAW);
  readonly #ipv6 = libc.socket(AF_INET6, SOCK_RAW_CLOEXEC, IPPROTO_RAW);
  readonly #address = Buffer.alloc(28);

  /** @returns whether it was sent. */
  send(packet: Buffer): boolean {
    this.#address.fill(0);
    if ((packet[0] ?? 0) >> 4 === 4) {
      this.#address.writeUInt16LE(AF_INET, 0);
      packet.copy(this.#address, 4, 16, 20);
      return this.#sendTo(this.#ipv4, packet, 16);
    }
    this.#address.writeUInt16LE(AF_INET6, 0);
    packet.copy(this.#address, 8, 24, 40);
    return this.#sendTo(this.#ipv6, packet, 28);
  }

  #sendTo(fd: number, packet: Buffer, size: number): boolean {
    const address = addressOf(this.#address);
    return libc.sendto(fd, addressOf(packet), packet.length, 0, address, size) === packet.length;
  }

  close(): void {
    for (const fd of [this.#ipv4, this.#ipv6]) if (fd >= 0) libc.close(fd);
  }
}
