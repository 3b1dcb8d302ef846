/**
 * Netlink messages (netlink(7), linux/netlink.h, linux/netfilter/nfnetlink.h), in the machine's own
 * byte order, which is little-endian wherever we run; netfilter's numbers inside are big-endian.
 *
 *   message   := u32 length, u16 type, u16 flags, u32 sequence, u32 port, nfgenmsg, attribute*
 *   nfgenmsg  := u8 family, u8 version 0, be16 resource
 *   attribute := u16 length with its header, u16 type, bytes, padding to 4
 */
export const HEADER_BYTES = 16;
export const NFGEN_BYTES = 4;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLMSG_ERROR = 2;
const NESTED = 0x8000;

export type Bytes = readonly number[];

export const u16 = (value: number): Bytes => [value & 0xff, value >> 8];
export const be16 = (value: number): Bytes => [value >> 8, value & 0xff];
export const be32 = (value: number): Bytes => [
  value >>> 24,
  (value >>> 16) & 0xff,
  (value >>> 8) & 0xff,
  value & 0xff,
];
const u32 = (value: number): Bytes => be32(value).toReversed();

/** ASCII with its final zero. */
export const zeroed = (text: string): Bytes => [
  ...Array.from(text, (letter) => letter.charCodeAt(0)),
  0,
];

export function attribute(type: number, ...parts: readonly Bytes[]): Bytes {
  const body = parts.flat();
  const padding = Array.from({ length: -body.length & 3 }, () => 0);
  return [...u16(4 + body.length), ...u16(type), ...body, ...padding];
}

export const nested = (type: number, ...parts: readonly Bytes[]): Bytes =>
  attribute(type | NESTED, ...parts);

export interface Header {
  type: number;
  flags: number;
  sequence: number;
  family: number;
  resource: number;
}

/** A whole netfilter message. */
export function message(header: Header, ...attributes: readonly Bytes[]): Uint8Array {
  const body = attributes.flat();
  return Uint8Array.from([
    ...u32(HEADER_BYTES + NFGEN_BYTES + body.length),
    ...u16(header.type),
    ...u16(header.flags),
    ...u32(header.sequence),
    ...u32(0),
    header.family,
    0,
    ...be16(header.resource),
    ...body,
  ]);
}

/** What the kernel answered to a request: 0, or the errno. Undefined where it is no answer. */
export function readAnswer(view: DataView): { sequence: number; errno: number } | undefined {
  if (view.byteLength < HEADER_BYTES + 4 || view.getUint16(4, true) !== NLMSG_ERROR)
    return undefined;
  return { sequence: view.getUint32(8, true), errno: Math.abs(view.getInt32(HEADER_BYTES, true)) };
}
