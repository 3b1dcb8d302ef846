import { assert } from '../base/assert.ts';
import type { ValueRange } from '../model/operation.ts';

/**
 * What is inside a record of ours: enough to know it again with certainty, whatever a disk, a broker or
 * another client did to it. Big endian:
 * magic 0 (4), checksum of all bytes from 8 on 4 (4), run 8 (8), topic 16 (2), topic-partition 18 (2),
 * writer 20 (4), sequence 24 (8), filler 32 ...
 */
const MAGIC = 0x464c5431;
export const SMALLEST_RECORD_BYTES = 32;

export interface RunMark {
  high: number;
  low: number;
}

/** FNV-1a like mixing over 32-bit words; not for secrets. */
function checksum(view: DataView, from: number): number {
  let hash = 0x811c9dc5;
  let at = from;
  for (; at + 4 <= view.byteLength; at += 4) {
    hash = Math.imul(hash ^ view.getUint32(at), 0x01000193);
    hash ^= hash >>> 15;
  }
  for (; at < view.byteLength; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193);
  return hash >>> 0;
}

/** Writes the value `first + index` of the range over the whole of `bytes` (at least 32). */
export function writePayload(
  bytes: Uint8Array,
  run: RunMark,
  range: ValueRange,
  index: number,
): void {
  assert(bytes.length >= SMALLEST_RECORD_BYTES, `a record of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sequence = range.first + index;
  view.setUint32(0, MAGIC);
  view.setUint32(8, run.high);
  view.setUint32(12, run.low);
  view.setUint16(16, range.topic);
  view.setUint16(18, range.topicPartition);
  view.setUint32(20, range.writer);
  view.setUint32(24, Math.floor(sequence / 0x1_0000_0000));
  view.setUint32(28, sequence >>> 0);
  bytes.fill(sequence & 0xff, SMALLEST_RECORD_BYTES);
  view.setUint32(4, checksum(view, 8));
}

export type ReadPayload =
  | { kind: 'value'; writer: number; sequence: number }
  | { kind: 'foreign' | 'damaged' | 'unreadable' | 'misplaced' };

/** Knows a record again, or says why it is none of ours that belongs there. */
export function readPayload(
  bytes: Uint8Array | null,
  run: RunMark,
  topic: number,
  topicPartition: number,
): ReadPayload {
  if (bytes === null || bytes.length < SMALLEST_RECORD_BYTES) return { kind: 'unreadable' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== MAGIC) return { kind: 'unreadable' };
  if (view.getUint32(4) !== checksum(view, 8)) return { kind: 'damaged' };
  if (view.getUint32(8) !== run.high || view.getUint32(12) !== run.low) return { kind: 'foreign' };
  if (view.getUint16(16) !== topic || view.getUint16(18) !== topicPartition) {
    return { kind: 'misplaced' };
  }
  const sequence = view.getUint32(24) * 0x1_0000_0000 + view.getUint32(28);
  return { kind: 'value', writer: view.getUint32(20), sequence };
}
