/**
 * Fixed C structs of the FUSE protocol as data: a field is a name and a width, and offsets follow
 * from the order (linux/fuse.h pads every struct to 64 bits by hand, so there is nothing to guess).
 * Byte order is the machine's; both of ours (x86-64, arm64) are little-endian.
 */
export type Width = 'u16' | 'u32' | 'i32' | 'u64' | 'i64';

const BYTES: Readonly<Record<Width, number>> = { u16: 2, u32: 4, i32: 4, u64: 8, i64: 8 };

type Fields = Readonly<Record<string, Width>>;

/** A field's value: 64-bit ones are bigints, all others numbers. */
export type Values<F extends Fields> = {
  -readonly [K in keyof F]: F[K] extends 'u64' | 'i64' ? bigint : number;
};

export interface Struct<F extends Fields = Fields> {
  readonly fields: F;
  /** In bytes. */
  readonly size: number;
  /** Byte offset of each field from the struct's start: for code that reads one field of many. */
  readonly at: { readonly [K in keyof F]: number };
}

/** Declares a struct by its fields, in the order of the C declaration. */
export function struct<const F extends Fields>(fields: F): Struct<F> {
  const at: Record<string, number> = {};
  let size = 0;
  for (const [name, width] of Object.entries(fields)) {
    at[name] = size;
    size += BYTES[width];
  }
  return { fields, size, at: at as { [K in keyof F]: number } };
}

/** Reads a struct at `offset`, or undefined where the bytes end before it does. */
export function parse<F extends Fields>(
  struct: Struct<F>,
  bytes: DataView,
  offset = 0,
): Values<F> | undefined {
  if (offset + struct.size > bytes.byteLength) return undefined;
  const values: Record<string, number | bigint> = {};
  let at = offset;
  for (const [name, width] of Object.entries(struct.fields)) {
    values[name] = read(width, bytes, at);
    at += BYTES[width];
  }
  return values as Values<F>;
}

function read(width: Width, bytes: DataView, at: number): number | bigint {
  switch (width) {
    case 'u16':
      return bytes.getUint16(at, true);
    case 'u32':
      return bytes.getUint32(at, true);
    case 'i32':
      return bytes.getInt32(at, true);
    case 'u64':
      return bytes.getBigUint64(at, true);
    case 'i64':
      return bytes.getBigInt64(at, true);
  }
}

/** Writes a struct at `offset`; fields left out are zero. */
export function print<F extends Fields>(
  struct: Struct<F>,
  values: Partial<Values<F>>,
  bytes: DataView,
  offset = 0,
): void {
  const given = values as Record<string, number | bigint | undefined>;
  let at = offset;
  for (const [name, width] of Object.entries(struct.fields)) {
    const value = given[name] ?? 0;
    if (width === 'u16') bytes.setUint16(at, Number(value), true);
    else if (width === 'u32') bytes.setUint32(at, Number(value), true);
    else if (width === 'i32') bytes.setInt32(at, Number(value), true);
    else if (width === 'u64') bytes.setBigUint64(at, BigInt(value), true);
    else bytes.setBigInt64(at, BigInt(value), true);
    at += BYTES[width];
  }
}
