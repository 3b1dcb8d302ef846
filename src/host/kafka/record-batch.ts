import { crc32c, compressionsAlgorithmsByBitmask } from '@platformatic/kafka';
import { Failure } from '../../core/base/failure.ts';
import { Cursor, readInt64, varintSize, writeInt64, writeVarint } from './wire.ts';

/**
 * Record batches, magic 2 (Kafka protocol guide, "Record Batch"; KIP-98):
 * baseOffset 0 (8) batchLength 8 (4) partitionLeaderEpoch 12 (4) magic 16 (1) crc 17 (4)
 * attributes 21 (2) lastOffsetDelta 23 (4) baseTimestamp 27 (8) maxTimestamp 35 (8)
 * producerId 43 (8) producerEpoch 51 (2) baseSequence 53 (4) count 57 (4) records 61.
 */
const HEADER = 61;
const MAGIC_AT = 16;
const CRC_FROM = 21;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const COMPRESSION = 0x07;

export interface BatchIdentity {
  /** -1, -1, -1: not idempotent. */
  producerId: number;
  producerEpoch: number;
  baseSequence: number;
  transactional?: boolean;
}

export interface NewRecord {
  value: Buffer;
  key?: Buffer;
  timestampMs: number;
}

/** Encodes a batch as it goes into a produce request, uncompressed; records: 1 to 2^31 - 1. */
export function encodeBatch(records: readonly NewRecord[], identity: BatchIdentity): Buffer {
  const baseMs = records[0]?.timestampMs ?? 0;
  let size = HEADER;
  let maxMs = baseMs;
  const bodies = records.map((record, index) => {
    maxMs = Math.max(maxMs, record.timestampMs);
    const key = record.key === undefined ? 1 : varintSize(record.key.length) + record.key.length;
    const value = varintSize(record.value.length) + record.value.length;
    const delta = varintSize(record.timestampMs - baseMs);
    const body = 1 + delta + varintSize(index) + key + value + 1;
    size += varintSize(body) + body;
    return body;
  });
  const buffer = Buffer.allocUnsafe(size);
  let at = HEADER;
  for (const [index, record] of records.entries()) {
    at = writeVarint(buffer, bodies[index] ?? 0, at);
    buffer[at++] = 0;
    at = writeVarint(buffer, record.timestampMs - baseMs, at);
    at = writeVarint(buffer, index, at);
    at = writeVarint(buffer, record.key?.length ?? -1, at);
    if (record.key !== undefined) at += record.key.copy(buffer, at);
    at = writeVarint(buffer, record.value.length, at);
    at += record.value.copy(buffer, at);
    buffer[at++] = 0;
  }
  writeInt64(buffer, 0, 0);
  buffer.writeInt32BE(size - 12, 8);
  buffer.writeInt32BE(-1, 12);
  buffer[MAGIC_AT] = 2;
  buffer.writeInt16BE(identity.transactional === true ? TRANSACTIONAL : 0, 21);
  buffer.writeInt32BE(records.length - 1, 23);
  writeInt64(buffer, baseMs, 27);
  writeInt64(buffer, maxMs, 35);
  writeInt64(buffer, identity.producerId, 43);
  buffer.writeInt16BE(identity.producerEpoch, 51);
  buffer.writeInt32BE(identity.baseSequence, 53);
  buffer.writeInt32BE(records.length, 57);
  buffer.writeUInt32BE(crc32c(buffer.subarray(CRC_FROM)) >>> 0, 17);
  return buffer;
}

export interface ReadBatch {
  baseOffset: number;
  lastOffset: number;
  leaderEpoch: number;
  producerId: number;
  producerEpoch: number;
  baseSequence: number;
  transactional: boolean;
  control: boolean;
  /** Of a control batch: what its record says (KIP-98: 0 abort, 1 commit). */
  marker?: 'abort' | 'commit' | 'other';
  crcExpected: number;
  crcActual: number;
  records: { offset: number; key: Buffer | null; value: Buffer | null }[];
  /** Why the records could not be read, where they could not. */
  damage?: string;
}

function readRecords(batch: ReadBatch, bytes: Buffer, count: number): void {
  const cursor = new Cursor(bytes);
  for (let index = 0; index < count; index++) {
    const length = cursor.varint();
    const end = cursor.position + length;
    cursor.skip(1);
    cursor.varint();
    const offset = batch.baseOffset + cursor.varint();
    const key = cursor.bytes();
    const value = cursor.bytes();
    if (cursor.position > end) throw new RangeError('a record longer than its length');
    cursor.position = end;
    batch.records.push({ offset, key, value });
  }
}

function readBatch(buffer: Buffer, at: number, length: number): ReadBatch {
  const bytes = buffer.subarray(at, at + 12 + length);
  const attributes = bytes.readInt16BE(21);
  const baseOffset = readInt64(bytes, 0);
  const batch: ReadBatch = {
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(23),
    leaderEpoch: bytes.readInt32BE(12),
    producerId: readInt64(bytes, 43),
    producerEpoch: bytes.readInt16BE(51),
    baseSequence: bytes.readInt32BE(53),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
    crcExpected: bytes.readUInt32BE(17),
    crcActual: crc32c(bytes.subarray(CRC_FROM)) >>> 0,
    records: [],
  };
  try {
    const algorithm = compressionsAlgorithmsByBitmask[attributes & COMPRESSION];
    const body = bytes.subarray(HEADER);
    const plain = (attributes & COMPRESSION) === 0 ? body : algorithm?.decompressSync(body);
    if (plain === undefined) throw new RangeError(`compression ${attributes & COMPRESSION}`);
    readRecords(batch, plain, bytes.readInt32BE(57));
  } catch (error) {
    // Bytes that are no records are a finding, not a crash: the CRC says whether Kafka is to blame.
    batch.damage = String(error);
  }
  if (batch.control) {
    const key = batch.records[0]?.key;
    // Damaged, it may be shorter than any marker's.
    const type = key && key.length >= 4 ? key.readInt16BE(2) : undefined;
    batch.marker = type === 0 ? 'abort' : type === 1 ? 'commit' : 'other';
  }
  return batch;
}

/**
 * Decodes the batches of a fetch response up to the first that is none: a partial one at the end is left
 * out (brokers may cut), and what is damaged in the midst is asked for again and stands first then.
 * CRCs are computed, not enforced. A first one of magic 0 or 1 is a Failure.
 */
export function decodeBatches(buffer: Buffer): ReadBatch[] {
  const magic = buffer[MAGIC_AT];
  if (magic === 0 || magic === 1) {
    const says = `a record batch of magic ${magic}; only 2 is read`;
    throw new Failure('record-batch-magic', says, { definite: true });
  }
  const batches: ReadBatch[] = [];
  let at = 0;
  while (at < buffer.length && damageOf(buffer.subarray(at)) === undefined) {
    const length = buffer.readInt32BE(at + 8);
    batches.push(readBatch(buffer, at, length));
    at += 12 + length;
  }
  return batches;
}

/**
 * Why bytes do not begin with a whole batch; undefined: they do. A response must: a broker sends the
 * first batch whole, however large it is, or none (KIP-74, Fetch v3). No CRC covers what is looked at here.
 */
export function damageOf(buffer: Buffer): string | undefined {
  if (buffer.length <= MAGIC_AT) return `${buffer.length} bytes are no batch`;
  const magic = buffer[MAGIC_AT];
  if (magic !== 2) return `its magic is ${magic}`;
  const length = buffer.readInt32BE(8);
  if (length < HEADER - 12) return `its batchLength is ${length}, less than a header`;
  const follow = buffer.length - 12;
  return follow < length ? `its batchLength is ${length}, and ${follow} bytes follow` : undefined;
}
