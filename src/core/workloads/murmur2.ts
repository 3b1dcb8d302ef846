const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;

/**
 * MurmurHash2 of 32 bits with the seed of Kafka's clients, which choose the topic-partition of a record
 * with a key by it (KafkaProducer's documentation): `toPositive(hash) % topic-partitions`.
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const whole = length - (length % 4);
  let hash = SEED ^ length;
  for (let at = 0; at < whole; at += 4) {
    let word =
      ((bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24)) >>>
      0;
    word = Math.imul(word, MIX);
    word = Math.imul(word ^ (word >>> 24), MIX);
    hash = Math.imul(hash, MIX) ^ word;
  }
  for (let at = length - 1; at >= whole; at--) hash ^= (bytes[at] ?? 0) << (8 * (at - whole));
  if (length > whole) hash = Math.imul(hash, MIX);
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
}

export function placeOfKey(key: Uint8Array, places: number): number {
  return (murmur2(key) & 0x7fffffff) % places;
}
