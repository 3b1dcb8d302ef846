const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** FNV-1a, 64 bits, over the UTF-16 code units (low byte, high byte) of a text. Not for secrets. */
export function fnv1a64(text: string): bigint {
  let hash = OFFSET_BASIS;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    hash = ((hash ^ BigInt(unit & 0xff)) * PRIME) & MASK;
    hash = ((hash ^ BigInt(unit >> 8)) * PRIME) & MASK;
  }
  return hash;
}

/**
 * A short name for a long id where the kernel limits lengths (interface names: 15 bytes):
 * 12 characters of [0-9a-z].
 */
export function shortHash(text: string): string {
  return fnv1a64(text).toString(36).padStart(13, '0').slice(-12);
}
