import { exec } from '../exec.ts';

/** A router's table may be long. */
const OUTPUT_MAX = 64 * 1024 * 1024;

/** 198.18.0.0/15, set aside for tests of networks (RFC 2544), holds this many /24. */
export const SUBNETS = 512;

/** @param index which /24 of 198.18.0.0/15, 0 to 511. */
export function subnetAddress(index: number, host: number): string {
  return `198.${18 + (index >> 8)}.${index & 255}.${host}`;
}

/** A unique local /64 (RFC 4193) that reads like its /24; in the one spelling of RFC 5952. */
export function subnetAddress6(index: number, host: number): string {
  return `fd00:198:${18 + (index >> 8)}:1${String(index & 255).padStart(3, '0')}::${host}`;
}

/** The host's end of the cable: named by the subnet, so that the kernel refuses it twice. */
export const hostLink = (index: number): string => `fllab${index}`;

function addressBits(text: string): number | undefined {
  const parts = text.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reduce((bits, part) => bits * 256 + part, 0);
}

/** Whether a network 'a.b.c.d/len' (or an address) shares an address with that /24. */
export function overlaps(network: string, index: number): boolean {
  const [text = '', length = '32'] = network.split('/');
  const bits = addressBits(text);
  if (bits === undefined) return false;
  const shared = 2 ** (32 - Math.min(24, Number(length)));
  const ours = addressBits(subnetAddress(index, 0)) as number;
  return Math.floor(bits / shared) === Math.floor(ours / shared);
}

/** Every network this machine has an address in or a route to, the default route aside. */
export async function networksInUse(): Promise<string[]> {
  const [addresses, routes] = await Promise.all([
    exec(['ip', '-j', '-4', 'addr', 'show'], { outputMax: OUTPUT_MAX }),
    exec(['ip', '-j', '-4', 'route', 'show', 'table', 'all'], { outputMax: OUTPUT_MAX }),
  ]);
  type Address = { addr_info?: { local?: string; prefixlen?: number }[] };
  const local = (JSON.parse(addresses.stdout || '[]') as Address[]).flatMap((link) =>
    (link.addr_info ?? []).map((info) => `${info.local}/${info.prefixlen}`),
  );
  const routed = (JSON.parse(routes.stdout || '[]') as { dst?: string }[]).map(
    (route) => route.dst ?? '',
  );
  return [...local, ...routed].filter((network) => network !== '' && network !== 'default');
}

/** The lowest index from `from` on whose /24 nothing uses; undefined: all are taken. */
export function freeSubnet(inUse: readonly string[], from = 0): number | undefined {
  for (let index = from; index < SUBNETS; index++) {
    if (!inUse.some((network) => overlaps(network, index))) return index;
  }
  return undefined;
}
