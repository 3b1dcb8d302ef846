import { parseAddress } from '../base/address.ts';
import type { DnsAnswer } from '../model/act-dns.ts';

/**
 * DNS messages (RFC 1035 section 4), as far as a responder needs them that answers some questions and
 * passes the others on.
 *
 *   message  := header question ...
 *   header   := id:u16 flags:u16 questions:u16 answers:u16 authorities:u16 additionals:u16
 *   question := name type:u16 class:u16
 *   name     := (length:u8 label)* 0                        not compressed in a question
 */

export const TYPE_A = 1;
export const TYPE_AAAA = 28;
const HEADER = 12;
const NAME_MAX = 255;
const RCODES = { nxdomain: 3, servfail: 2 } as const;
/** Short, so that the right answer is asked for soon after the fault has healed. */
const TTL_S = 1;

export interface Question {
  id: number;
  /** Lower case, without the last dot. */
  name: string;
  type: number;
  /** Where the question ends in the message. */
  end: number;
}

/** Reads a query with one question; undefined where the bytes are none. */
export function readQuery(message: Uint8Array): Question | undefined {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (message.length < HEADER || (message[2] ?? 0) >> 3 !== 0) return undefined;
  if (view.getUint16(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63 || at - HEADER > NAME_MAX) return undefined;
    at += 1;
    if (length === 0) break;
    if (at + length > message.length) return undefined;
    labels.push(String.fromCharCode(...message.subarray(at, at + length)));
    at += length;
  }
  if (at + 4 > message.length) return undefined;
  const name = labels.join('.').toLowerCase();
  return { id: view.getUint16(0), name, type: view.getUint16(at), end: at + 4 };
}

/** Whether a list has a name: itself, or '*.' and what it lies below. An empty list has all. */
export function isListed(names: readonly string[], name: string): boolean {
  return (
    names.length === 0 ||
    names.some((each) => {
      const listed = each.toLowerCase().replace(/\.$/, '');
      return listed.startsWith('*.') ? name.endsWith(listed.slice(1)) : name === listed;
    })
  );
}

function bytesOf(address: string): number[] {
  const parsed = parseAddress(address);
  if (!parsed) return [];
  if (parsed.family === 4) return parsed.text.split('.').map(Number);
  const [left = '', right] = parsed.text.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(left), groups(right ?? '')];
  const missing = right === undefined ? 0 : 8 - before.length - after.length;
  const zeros = Array.from({ length: missing }, () => '0');
  return [...before, ...zeros, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255];

/** The reply to a question; undefined: none (timeout). */
export function writeReply(
  message: Uint8Array,
  question: Question,
  answer: DnsAnswer,
): Uint8Array | undefined {
  if (answer === 'timeout') return undefined;
  const rcode = typeof answer === 'string' ? RCODES[answer] : 0;
  const bytes = typeof answer === 'string' ? [] : bytesOf(answer.address);
  const type = bytes.length === 4 ? TYPE_A : TYPE_AAAA;
  // A name that has an address of the other family only: no answer, and no error.
  const records = bytes.length > 0 && question.type === type ? 1 : 0;
  const wanted = (message[2] ?? 0) & 1;
  return Uint8Array.from([
    ...u16(question.id),
    // QR, recursion desired as it was, recursion available.
    0x80 | wanted,
    0x80 | rcode,
    ...u16(1),
    ...u16(records),
    ...u16(0),
    ...u16(0),
    ...message.subarray(HEADER, question.end),
    // The name again, by its place (RFC 1035 section 4.1.4).
    ...(records === 0
      ? []
      : [0xc0, HEADER, ...u16(type), ...u16(1), ...u16(0), ...u16(TTL_S), ...u16(bytes.length)]),
    ...(records === 0 ? [] : bytes),
  ]);
}

/** The nameservers of a resolv.conf (resolv.conf(5)). */
export function readResolvers(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const address = /^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1];
    const parsed = address === undefined ? undefined : parseAddress(address);
    return parsed ? [parsed.text] : [];
  });
}
