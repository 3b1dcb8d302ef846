/** An IP address in its one canonical text: the same address is the same string. */
export interface Address {
  family: 4 | 6;
  /** Dotted decimal, or RFC 5952 text. */
  text: string;
}

/**
 * Reads an IPv4 or IPv6 address. An IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291 2.5.5.2) is
 * the IPv4 address: that is what the packets carry.
 *
 *   ipv4 := octet '.' octet '.' octet '.' octet        no leading zeros: inet_aton reads them as octal
 *   ipv6 := RFC 4291 2.2, without a zone
 *
 * @returns undefined where the text is no address (a host name, a zone, a prefix length).
 */
export function parseAddress(text: string): Address | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4) return { family: 4, text: ipv4.join('.') };
  const groups = text.includes(':') ? parseIpv6(text) : undefined;
  if (!groups) return undefined;
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!mapped) return { family: 6, text: formatIpv6(groups) };
  const [high = 0, low = 0] = groups.slice(6);
  return { family: 4, text: [high >> 8, high & 255, low >> 8, low & 255].join('.') };
}

/** The texts of one family among addresses; what is no address is left out. */
export function familyOf(family: 4 | 6, addresses: readonly string[]): string[] {
  const texts = new Set<string>();
  for (const address of addresses) {
    const parsed = parseAddress(address);
    if (parsed?.family === family) texts.add(parsed.text);
  }
  return [...texts];
}

const OCTET = '(0|[1-9][0-9]{0,2})';
const IPV4 = new RegExp(`^${OCTET}[.]${OCTET}[.]${OCTET}[.]${OCTET}$`);

function parseIpv4(text: string): number[] | undefined {
  const octets = IPV4.exec(text)?.slice(1).map(Number);
  return octets?.every((octet) => octet <= 255) === true ? octets : undefined;
}

/** Eight groups of 16 bits. */
function parseIpv6(text: string): number[] | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const left = parseGroups(halves[0] ?? '', halves.length === 1);
  const right = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (!left || !right) return undefined;
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...left, ...Array.from({ length: missing }, () => 0), ...right];
}

/** Groups between colons; the last may be written as IPv4 where it ends the address. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const last = endsAddress && index === parts.length - 1;
    const ipv4 = last && part.includes('.') ? parseIpv4(part) : undefined;
    if (ipv4) {
      const [a = 0, b = 0, c = 0, d = 0] = ipv4;
      groups.push((a << 8) | b, (c << 8) | d);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, '::' for the first longest run of two or more zeros. */
function formatIpv6(groups: readonly number[]): string {
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}
