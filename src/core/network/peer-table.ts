import { parseAddress } from '../base/address.ts';

/** The bits of an IPv4 address, or those of an IPv6 address mixed into as many. */
function keyOf(packet: Uint8Array, at: number, words: number): number {
  let key = 0;
  for (let index = 0; index < words * 4; index += 4) {
    const word =
      ((packet[at + index] ?? 0) << 24) |
      ((packet[at + index + 1] ?? 0) << 16) |
      ((packet[at + index + 2] ?? 0) << 8) |
      (packet[at + index + 3] ?? 0);
    key = words === 1 ? word : (Math.imul(key, 31) + word) | 0;
  }
  return key;
}

/** The bytes of an address; undefined where the text is none. */
function bytesOf(text: string): Uint8Array | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  if (address.family === 4) return Uint8Array.from(address.text.split('.'), Number);
  const [left = '', right] = address.text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(left), groups(right ?? '')];
  const middle = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return Uint8Array.from([...first, ...middle, ...last].flatMap((each) => [each >> 8, each & 255]));
}

/**
 * Which peer a packet is from, by its source address. Two IPv6 addresses of different peers could in
 * theory share a key: then the two share a rate, nothing worse.
 */
export class PeerTable {
  readonly #ipv4 = new Map<number, number>();
  readonly #ipv6 = new Map<number, number>();
  readonly #unknown: number;

  /** @param peers the addresses of each. */
  constructor(peers: readonly (readonly string[])[]) {
    this.#unknown = peers.length;
    for (const [index, addresses] of peers.entries()) {
      for (const address of addresses) {
        const bytes = bytesOf(address);
        if (bytes?.length === 4) this.#ipv4.set(keyOf(bytes, 0, 1), index);
        else if (bytes) this.#ipv6.set(keyOf(bytes, 0, 4), index);
      }
    }
  }

  /** @param at where the packet begins. @returns the peer's index, or their number for a stranger. */
  of(packet: Uint8Array, at: number): number {
    const ipv6 = (packet[at] ?? 0) >> 4 === 6;
    const found = ipv6
      ? this.#ipv6.get(keyOf(packet, at + 8, 4))
      : this.#ipv4.get(keyOf(packet, at + 12, 1));
    return found ?? this.#unknown;
  }
}
