import { assert } from '../../core/base/assert.ts';

/**
 * Integers of the Kafka protocol and of record batches in plain Buffers. Offsets and times are
 * JavaScript numbers (exact to 2^53); producer ids are kept as numbers too.
 */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
}

export function writeInt64(buffer: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  buffer.writeInt32BE(high, at);
  buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
}

/** Bytes a zigzag varint of a 32-bit value takes. */
export function varintSize(value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let size = 1;
  while (rest > 127) {
    rest >>>= 7;
    size++;
  }
  return size;
}

/** Writes a zigzag varint. @returns the position after it. */
export function writeVarint(buffer: Buffer, value: number, at: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let position = at;
  while (rest > 127) {
    buffer[position++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  buffer[position++] = rest;
  return position;
}

/** Reads bytes one after the other; a read past the end throws a RangeError. */
export class Cursor {
  readonly buffer: Buffer;
  position: number;

  constructor(buffer: Buffer, position = 0) {
    this.buffer = buffer;
    this.position = position;
  }

  /** Zigzag varint of up to 64 bits; exact to 2^53. */
  varint(): number {
    let result = 0;
    let scale = 1;
    for (let index = 0; index < 10; index++) {
      const byte = this.buffer[this.position++];
      if (byte === undefined) throw new RangeError('a varint past the end');
      result += (byte & 127) * scale;
      if (byte < 128) return result % 2 === 0 ? result / 2 : -(result + 1) / 2;
      scale *= 128;
    }
    throw new RangeError('a varint of more than ten bytes');
  }

  skip(bytes: number): void {
    assert(bytes >= 0, `skip(${bytes})`);
    this.position += bytes;
    if (this.position > this.buffer.length) throw new RangeError('past the end');
  }

  /** A length as a varint, then as many bytes; null where the length is -1. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const start = this.position;
    this.skip(length);
    return this.buffer.subarray(start, this.position);
  }
}
