import { CodecError, textToUtf8, Writer, type Reader } from './bytes.ts';
import { within, type Field, type Message } from './message.ts';

/** A field's value. 64-bit numbers are bigints, a uuid is 32 hexadecimal digits. */
export type Value = boolean | number | bigint | string | Uint8Array | null | Value[] | Struct;

/** Fields by name; TAGS holds tagged fields that this release does not know. */
export interface Struct {
  [field: string]: Value;
}

/** Key of the unknown tagged fields of a struct: pairs of tag and bytes. */
const TAGS = '_tags';

interface Layout {
  version: number;
  flexible: boolean;
}

function layoutOf(message: Message, version: number): Layout {
  if (!within(message.versions, version)) {
    throw new CodecError(`${message.name} has no version ${version}`);
  }
  return { version, flexible: within(message.flexible, version) };
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const unhex = (text: string): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, index) =>
    Number(`0x${text.slice(index * 2, index * 2 + 2)}`),
  );

// --- reading ------------------------------------------------------------------------------------

/** Length of a string (16 bits), bytes or array (32 bits); -1: null. */
function readLength(reader: Reader, layout: Layout, short: boolean): number {
  if (layout.flexible) return reader.varint() - 1;
  return short ? reader.i16() : reader.i32();
}

function readOne(reader: Reader, field: Field, layout: Layout): Value {
  reader.count();
  const { type } = field;
  if (typeof type !== 'string') {
    // A struct that may be null has a byte before it (KIP-893).
    const mayBeNull = !field.array && within(field.nullable, layout.version);
    if (mayBeNull && field.tag === undefined && reader.i8() < 0) return null;
    return readStruct(reader, type, layout);
  }
  switch (type) {
    case 'bool':
      return reader.i8() !== 0;
    case 'uuid':
      return hex(reader.raw(16));
    case 'str': {
      const length = readLength(reader, layout, true);
      return length < 0 ? null : reader.text(length);
    }
    case 'bytes':
    case 'records': {
      const length = readLength(reader, layout, false);
      return length < 0 ? null : reader.raw(length);
    }
    default:
      return reader[type]();
  }
}

function readField(reader: Reader, field: Field, layout: Layout): Value {
  if (!field.array) return readOne(reader, field, layout);
  const length = readLength(reader, layout, false);
  if (length < 0) return null;
  // Every element takes a byte at least: a length beyond the bytes is a lie, found before any memory is.
  if (length > reader.left) throw new CodecError(`${length} elements in ${reader.left} bytes`);
  return Array.from({ length }, () => readOne(reader, field, layout));
}

const isTagged = (field: Field, { version }: Layout): boolean =>
  field.tag !== undefined && within(field.tagged, version);

function readStruct(reader: Reader, fields: readonly Field[], layout: Layout): Struct {
  const struct: Struct = {};
  for (const field of fields) {
    if (!within(field.versions, layout.version)) continue;
    struct[field.name] = isTagged(field, layout)
      ? presetOf(field)
      : readField(reader, field, layout);
  }
  if (layout.flexible) readTags(reader, fields, layout, struct);
  return struct;
}

function readTags(reader: Reader, fields: readonly Field[], layout: Layout, into: Struct): void {
  const unknown: Value[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    reader.count();
    const tag = reader.varint();
    const size = reader.varint();
    const field = fields.find((one) => one.tag === tag && isTagged(one, layout));
    const end = reader.at + size;
    const bytes = reader.raw(size);
    if (field === undefined) {
      unknown.push([tag, bytes]);
      continue;
    }
    reader.at = end - size;
    into[field.name] = readField(reader, field, layout);
    if (reader.at !== end) throw new CodecError(`tagged field ${field.name} has another length`);
  }
  if (unknown.length > 0) into[TAGS] = unknown;
}

/** Reads a body. @throws CodecError where the bytes are no such message. */
export function readBody(reader: Reader, message: Message, version: number): Struct {
  return readStruct(reader, message.fields, layoutOf(message, version));
}

// --- writing ------------------------------------------------------------------------------------

/** What Kafka takes where nothing was said. */
export function presetOf(field: Field): Value {
  if (field.preset === 'null') return null;
  if (field.array) return [];
  if (typeof field.type !== 'string') {
    return Object.fromEntries(field.type.map((inner) => [inner.name, presetOf(inner)]));
  }
  switch (field.type) {
    case 'bool':
      return field.preset === 'true';
    case 'uuid':
      return '0'.repeat(32);
    case 'str':
      return field.preset ?? '';
    case 'bytes':
    case 'records':
      return new Uint8Array();
    case 'i64':
      return BigInt(field.preset ?? 0);
    default:
      return Number(field.preset ?? 0);
  }
}

function writeLength(writer: Writer, layout: Layout, short: boolean, length: number): void {
  if (layout.flexible) writer.varint(length + 1);
  else if (short) writer.i16(length);
  else writer.i32(length);
}

function writeBytes(
  writer: Writer,
  layout: Layout,
  short: boolean,
  bytes: Uint8Array | null,
): void {
  writeLength(writer, layout, short, bytes === null ? -1 : bytes.length);
  if (bytes !== null) writer.raw(bytes);
}

function writeOne(writer: Writer, field: Field, layout: Layout, value: Value): void {
  const { type } = field;
  if (typeof type !== 'string') {
    if (!field.array && field.tag === undefined && within(field.nullable, layout.version)) {
      writer.i8(value === null ? -1 : 1);
      if (value === null) return;
    }
    return writeStruct(writer, type, layout, value as Struct);
  }
  switch (type) {
    case 'bool':
      return writer.i8(value === true ? 1 : 0);
    case 'uuid':
      return writer.raw(unhex(value as string));
    case 'str':
      return writeBytes(writer, layout, true, value === null ? null : textToUtf8(value as string));
    case 'bytes':
    case 'records':
      return writeBytes(writer, layout, false, value as Uint8Array | null);
    case 'i64':
      return writer.i64(value as bigint);
    case 'u16':
      return writer.i16(((value as number) << 16) >> 16);
    case 'u32':
      return writer.i32((value as number) | 0);
    default:
      return writer[type](value as number);
  }
}

function writeField(writer: Writer, field: Field, layout: Layout, value: Value): void {
  if (!field.array) return writeOne(writer, field, layout, value);
  const items = value as Value[] | null;
  writeLength(writer, layout, false, items === null ? -1 : items.length);
  for (const item of items ?? []) writeOne(writer, field, layout, item);
}

function writeStruct(
  writer: Writer,
  fields: readonly Field[],
  layout: Layout,
  struct: Struct,
): void {
  const tagged: [tag: number, bytes: Uint8Array][] = [];
  for (const field of fields) {
    if (!within(field.versions, layout.version)) continue;
    const value = struct[field.name] ?? (field.name in struct ? null : presetOf(field));
    if (!isTagged(field, layout)) {
      writeField(writer, field, layout, value);
    } else if (!isPreset(field, value)) {
      const inner = new Writer();
      writeField(inner, field, layout, value);
      tagged.push([field.tag ?? 0, inner.done()]);
    }
  }
  if (!layout.flexible) return;
  tagged.push(...((struct[TAGS] ?? []) as unknown as [number, Uint8Array][]));
  writer.varint(tagged.length);
  for (const [tag, bytes] of tagged.sort(([a], [b]) => a - b)) {
    writer.varint(tag);
    writer.varint(bytes.length);
    writer.raw(bytes);
  }
}

/** A tagged field that says nothing new is not written. */
function isPreset(field: Field, value: Value): boolean {
  const plain = (_: string, one: unknown): unknown => (typeof one === 'bigint' ? `${one}n` : one);
  return JSON.stringify(value, plain) === JSON.stringify(presetOf(field), plain);
}

/** Writes a body; fields that `struct` does not name have Kafka's defaults. */
export function writeBody(writer: Writer, message: Message, version: number, struct: Struct): void {
  writeStruct(writer, message.fields, layoutOf(message, version), struct);
}
