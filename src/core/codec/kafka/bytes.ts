/** Bytes that are no Kafka message, or one longer or deeper than we read. */
export class CodecError extends Error {
  override name = 'CodecError';
}

/** Strings, array elements and struct fields of one message; far above what real ones have. */
const VALUES_MAX = 1_000_000;

/** Reads Kafka's primitive types (big-endian; KIP-482 for the compact ones). */
export class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #values = 0;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Counts one value more. @throws CodecError where there are too many for one message. */
  count(): void {
    if (++this.#values > VALUES_MAX) throw new CodecError('too many values in one message');
  }

  #take(size: number): number {
    if (size < 0 || size > this.left)
      throw new CodecError(`${size} bytes asked, ${this.left} left`);
    const at = this.at;
    this.at += size;
    return at;
  }

  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }
  i16(): number {
    return this.#view.getInt16(this.#take(2));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }
  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }
  f64(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** Unsigned variable-length integer, at most 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#view.getUint8(this.#take(1));
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    throw new CodecError('a variable-length integer has more than 32 bits');
  }

  /** A view, not a copy. */
  raw(size: number): Uint8Array {
    const at = this.#take(size);
    return this.bytes.subarray(at, at + size);
  }

  text(size: number): string {
    return utf8ToText(this.raw(size));
  }
}

/** Writes what Reader reads, into memory that grows. */
export class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  #room(size: number): number {
    const at = this.#size;
    this.#size += size;
    if (this.#size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#size, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  i8(value: number): void {
    const at = this.#room(1);
    this.#view.setInt8(at, value);
  }
  i16(value: number): void {
    const at = this.#room(2);
    this.#view.setInt16(at, value);
  }
  i32(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, value);
  }
  i64(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigInt64(at, value);
  }
  f64(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value);
  }
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.i8((((rest % 0x80) | 0x80) << 24) >> 24);
      rest = Math.floor(rest / 0x80);
    }
    this.i8(rest);
  }
  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** What was written: a view that the next write may leave behind. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }
}

/** UTF-8 (RFC 3629) to text; what is malformed becomes U+FFFD. Core has no TextDecoder. */
function utf8ToText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    let code = length === 1 ? first : first & (0xff >> (length + 1));
    let good = length > 0 && first < 0xf5 && at + length <= bytes.length;
    for (let next = 1; good && next < length; next++) {
      const byte = bytes[at + next] as number;
      good = (byte & 0xc0) === 0x80;
      code = (code << 6) | (byte & 0x3f);
    }
    good &&= code <= 0x10_ffff;
    text += String.fromCodePoint(good ? code : 0xfffd);
    at += good ? length : 1;
  }
  return text;
}

export function textToUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x1_0000) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    } else {
      const high = [0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f)];
      bytes.push(...high, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    }
  }
  return Uint8Array.from(bytes);
}
