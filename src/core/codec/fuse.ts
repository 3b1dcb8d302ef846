import { OPCODES } from './fuse/constants.ts';
import { InHeader, OutHeader } from './fuse/messages.ts';
import { parse, print, type Values } from './fuse/struct.ts';

/*
 * The FUSE wire, as /dev/fuse carries it (one message a read, one a write):
 *
 *   request      = inHeader body [extensions]
 *   inHeader     = len opcode unique nodeid uid gid pid totalExtlen padding         40 bytes
 *   body         = struct [name NUL] [name NUL] [data]       by opcode: fuse/messages.ts
 *   reply        = outHeader [body]         unique of the request; error 0 or -errno
 *   notification = outHeader body           unique 0; error = code
 *   outHeader    = len error unique                                                 16 bytes
 *
 * Struct layouts are declared in fuse/messages.ts and read and written by fuse/struct.ts; the hot
 * path reads single fields through the same declarations (`ReadIn.at.offset`).
 */

const NAMES = new Map<number, string>(Object.entries(OPCODES).map(([name, code]) => [code, name]));

/** The name of an opcode, for messages and events. */
export function opcodeName(opcode: number): string {
  return NAMES.get(opcode) ?? `opcode ${opcode}`;
}

export type RequestHeader = Values<(typeof InHeader)['fields']>;

/**
 * The header of a request of `length` bytes, or undefined where it is none: shorter than a header,
 * or with a length of its own that is not the message's.
 */
export function parseHeader(bytes: DataView, length: number): RequestHeader | undefined {
  if (length < InHeader.size || length > bytes.byteLength) return undefined;
  const header = parse(InHeader, bytes);
  if (header === undefined || header.len !== length) return undefined;
  return header;
}

/** Writes a reply's header. @param error 0 or a positive errno. */
export function printReplyHeader(
  bytes: DataView,
  unique: bigint,
  error: number,
  length: number,
): void {
  print(OutHeader, { len: length, error: -error, unique }, bytes);
}

/**
 * The names (each ends with a zero byte) in a request body.
 * @returns where each starts, `count` of them, or undefined where the bytes end before they do.
 */
export function nameOffsets(
  bytes: Uint8Array,
  from: number,
  to: number,
  count: number,
): number[] | undefined {
  const starts: number[] = [];
  let at = from;
  for (let index = 0; index < count; index++) {
    const end = bytes.indexOf(0, at);
    if (end === -1 || end >= to || end === at) return undefined;
    starts.push(at);
    at = end + 1;
  }
  return starts;
}
