import type { Random } from '../base/random.ts';

const TCP = 6;
const UDP = 17;

/** Where things are in a packet, from its first byte; undefined where there is nothing to damage. */
interface Layout {
  checksumAt: number;
  transportAt: number;
  payloadAt: number;
}

/** IPv4 (RFC 791) or IPv6 (RFC 8200) without extension headers, with TCP or UDP in it. */
function layoutOf(packet: Uint8Array, length: number): Layout | undefined {
  const version = (packet[0] ?? 0) >> 4;
  let transportAt = 40;
  let protocol = packet[6] ?? 0;
  if (version === 4) {
    transportAt = ((packet[0] ?? 0) & 15) * 4;
    protocol = packet[9] ?? 0;
    // A later fragment has no transport header.
    if ((((packet[6] ?? 0) & 0x1f) << 8) + (packet[7] ?? 0) > 0) return undefined;
  } else if (version !== 6) return undefined;
  if (protocol === UDP) {
    const layout = { transportAt, payloadAt: transportAt + 8, checksumAt: transportAt + 6 };
    return layout.payloadAt < length ? layout : undefined;
  }
  if (protocol !== TCP) return undefined;
  const payloadAt = transportAt + ((packet[transportAt + 12] ?? 0) >> 4) * 4;
  return payloadAt < length ? { transportAt, payloadAt, checksumAt: transportAt + 16 } : undefined;
}

/** RFC 1624: the checksum after one 16-bit word has changed. */
function adjusted(checksum: number, before: number, after: number): number {
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/**
 * Changes bytes of a packet's TCP or UDP payload in place; headers stay whole, so that it reaches
 * whom it was meant for.
 * @param remade whether the checksum is made to fit (the damage is then delivered as data), or left
 *   (the receiver drops the packet and says so in its counters).
 * @returns false where the packet has no payload, and nothing was changed.
 */
export function damage(
  packet: Uint8Array,
  length: number,
  random: Random,
  bytes: number,
  remade: boolean,
): boolean {
  const layout = layoutOf(packet, length);
  if (!layout) return false;
  const { payloadAt, transportAt, checksumAt } = layout;
  for (let count = 0; count < bytes; count++) {
    const at = payloadAt + random.below(length - payloadAt);
    const high = transportAt + ((at - transportAt) & ~1);
    const word = (): number =>
      ((packet[high] ?? 0) << 8) + (high + 1 < length ? (packet[high + 1] ?? 0) : 0);
    const before = word();
    // Any other value: never the same byte again.
    packet[at] = (packet[at] ?? 0) ^ (1 + random.below(255));
    if (!remade) continue;
    const checksum = ((packet[checksumAt] ?? 0) << 8) + (packet[checksumAt + 1] ?? 0);
    // UDP over IPv4 may go without one.
    if (checksum === 0 && checksumAt - transportAt === 6) continue;
    const fits = adjusted(checksum, before, word()) || 0xffff;
    packet[checksumAt] = fits >> 8;
    packet[checksumAt + 1] = fits & 0xff;
  }
  return true;
}
