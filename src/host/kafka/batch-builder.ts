import { compressionsAlgorithms, crc32c } from '@platformatic/kafka';
import type { BatchIdentity } from './record-batch.ts';
import { varintSize, writeInt64, writeVarint } from './wire.ts';

/** See record-batch.ts for the layout. */
const HEADER = 61;
const CRC_FROM = 21;
const TRANSACTIONAL = 0x10;
/** What a record has beside key and value, at most: attributes, deltas, lengths, headers. */
const RECORD_OVERHEAD = 32;

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
const BITS: Readonly<Record<Compression, number>> = {
  none: 0,
  gzip: 1,
  snappy: 2,
  lz4: 3,
  zstd: 4,
};

/**
 * A batch that records are written into as they come, so that a record costs its bytes and no object.
 * Once it was encoded, nothing may be appended.
 */
export class BatchBuilder {
  readonly #buffer: Buffer;
  #at = HEADER;
  #baseMs = 0;
  #maxMs = 0;
  /** When each record was appended: for whoever wants to know how long it took. */
  readonly times: number[] = [];
  /** What its owner calls each record, where it does. */
  readonly tags: number[] = [];

  /** @param buffer what it may fill; its contents do not matter. */
  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** The buffer a batch of this size needs for a first record of that size. */
  static bytesFor(batchBytes: number, keyBytes: number, valueBytes: number): number {
    return Math.max(batchBytes, HEADER + RECORD_OVERHEAD + keyBytes + valueBytes);
  }

  get count(): number {
    return this.times.length;
  }

  get bytes(): number {
    return this.#at;
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  fits(keyBytes: number, valueBytes: number): boolean {
    return this.#at + RECORD_OVERHEAD + keyBytes + valueBytes <= this.#buffer.length;
  }

  /** @param timestampMs of the record; @param atMs monotonic, kept in `times`; @param tag in `tags`. */
  append(
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    atMs: number,
    tag?: number,
  ): void {
    const index = this.times.length;
    if (index === 0) this.#baseMs = timestampMs;
    if (timestampMs > this.#maxMs) this.#maxMs = timestampMs;
    const delta = timestampMs - this.#baseMs;
    const keySize = key === null ? 1 : varintSize(key.length) + key.length;
    const valueSize = value === null ? 1 : varintSize(value.length) + value.length;
    const size = 2 + varintSize(delta) + varintSize(index) + keySize + valueSize;
    const buffer = this.#buffer;
    let at = writeVarint(buffer, size, this.#at);
    buffer[at++] = 0;
    at = writeVarint(buffer, delta, at);
    at = writeVarint(buffer, index, at);
    at = this.#bytes(key, at);
    at = this.#bytes(value, at);
    buffer[at++] = 0;
    this.#at = at;
    this.times.push(atMs);
    if (tag !== undefined) this.tags.push(tag);
  }

  #bytes(bytes: Uint8Array | null, from: number): number {
    if (bytes === null) return writeVarint(this.#buffer, -1, from);
    const at = writeVarint(this.#buffer, bytes.length, from);
    this.#buffer.set(bytes, at);
    return at + bytes.length;
  }

  /** The batch as it goes into a produce request: the buffer's own bytes, unless it is compressed. */
  encode(identity: BatchIdentity, compression: Compression): Buffer {
    const batch = this.#compressed(compression);
    const attributes = BITS[compression] | (identity.transactional === true ? TRANSACTIONAL : 0);
    writeInt64(batch, 0, 0);
    batch.writeInt32BE(batch.length - 12, 8);
    batch.writeInt32BE(-1, 12);
    batch[16] = 2;
    batch.writeInt16BE(attributes, 21);
    batch.writeInt32BE(this.count - 1, 23);
    writeInt64(batch, this.#baseMs, 27);
    writeInt64(batch, this.#maxMs, 35);
    writeInt64(batch, identity.producerId, 43);
    batch.writeInt16BE(identity.producerEpoch, 51);
    batch.writeInt32BE(identity.baseSequence, 53);
    batch.writeInt32BE(this.count, 57);
    batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)) >>> 0, 17);
    return batch;
  }

  #compressed(compression: Compression): Buffer {
    const plain = this.#buffer.subarray(0, this.#at);
    if (compression === 'none') return plain;
    const body = compressionsAlgorithms[compression].compressSync(plain.subarray(HEADER));
    return Buffer.concat([plain.subarray(0, HEADER), body]);
  }
}
