import { JavaRandom } from '../base/java-random.ts';
import type { PayloadSpec } from './payload-spec.ts';

/**
 * Makes the payload at a position (0, 1, 2 ...), byte for byte as Trogdor does.
 * @param nowMs for payloads that hold the time: milliseconds since the epoch.
 * @returns bytes that are valid until the next call, or null.
 */
export type PayloadGenerator = (position: number, nowMs: number) => Uint8Array | null;

const TIMESTAMP = 8;

function decodeBase64(text: string): Uint8Array {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const bytes: number[] = [];
  let [bits, held] = [0, 0];
  for (const letter of text.replaceAll('-', '+').replaceAll('_', '/')) {
    const digit = digits.indexOf(letter);
    if (digit < 0) continue;
    held = ((held << 6) | digit) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return Uint8Array.from(bytes);
}

/** A 64-bit number, little endian; `bytes` may be shorter, and keeps the lower bytes then. */
function writeLong(bytes: Uint8Array, value: number): void {
  let rest = value;
  for (let at = 0; at < TIMESTAMP && at < bytes.length; at++) {
    const higher = Math.floor(rest / 256);
    bytes[at] = rest - higher * 256;
    rest = higher;
  }
}

function constant(size: number, text: string): PayloadGenerator {
  const value = decodeBase64(text);
  const bytes = new Uint8Array(size);
  if (value.length > 0) for (let at = 0; at < size; at++) bytes[at] = value[at % value.length] ?? 0;
  return () => bytes;
}

function sequential(size: number, startOffset: number): PayloadGenerator {
  const bytes = new Uint8Array(size);
  return (position) => {
    writeLong(bytes, position + startOffset);
    return bytes;
  };
}

/** Of each payload the last bytes are always the same. */
function uniformRandom(size: number, seed: number, padding: number): PayloadGenerator {
  const bytes = new Uint8Array(size);
  const drawn = bytes.subarray(0, size - padding);
  const random = new JavaRandom(seed);
  random.draw(bytes.subarray(size - padding));
  return (position) => {
    random.setSeed(seed + position);
    random.draw(drawn);
    return bytes;
  };
}

function timestamped(size: number, seed?: number): PayloadGenerator {
  const bytes = new Uint8Array(size);
  const random = new JavaRandom(0);
  return (position, nowMs) => {
    writeLong(bytes, nowMs);
    if (seed === undefined) return bytes;
    random.setSeed(seed + position);
    random.draw(bytes, TIMESTAMP);
    return bytes;
  };
}

interface Gaussian {
  messageSizeAverage: number;
  messageSizeDeviation: number;
  messagesUntilSizeChange: number;
  seed: number;
}

/** The size is drawn anew every so many payloads; at least the timestamp is in each. */
function gaussian(spec: Gaussian, fills: boolean): PayloadGenerator {
  const random = new JavaRandom(spec.seed);
  let bytes = new Uint8Array(0);
  let made = 0;
  return (position, nowMs) => {
    random.setSeed(spec.seed + position);
    if (made === 0) {
      const deviation = Math.trunc(random.gaussian() * spec.messageSizeDeviation);
      bytes = new Uint8Array(Math.max(deviation + spec.messageSizeAverage, TIMESTAMP));
    }
    made = (made + 1) % spec.messagesUntilSizeChange;
    // All of it is drawn, and then the time written over its beginning.
    if (fills) random.draw(bytes);
    writeLong(bytes, nowMs);
    return bytes;
  };
}

function randomComponent(
  seed: number,
  components: readonly { percent: number; component: PayloadSpec }[],
): PayloadGenerator {
  const random = new JavaRandom(seed);
  const made = components.map(({ percent, component }) => ({
    percent,
    generate: payloadGenerator(component),
  }));
  return (position, nowMs) => {
    random.setSeed(seed + position);
    let drawn = random.below(100);
    for (const { percent, generate } of made) {
      drawn -= percent;
      if (drawn < 0) return generate(position, nowMs);
    }
    return null;
  };
}

/** @param spec checked: see checkPayload. */
export function payloadGenerator(spec: PayloadSpec): PayloadGenerator {
  switch (spec.type) {
    case 'constant':
      return constant(spec.size, spec.value);
    case 'sequential':
      return sequential(spec.size, spec.startOffset);
    case 'uniformRandom':
      return uniformRandom(spec.size, spec.seed, spec.padding);
    case 'null':
      return () => null;
    case 'timestampRandom':
      return timestamped(spec.size, spec.seed);
    case 'timestampConstant':
      return timestamped(spec.size);
    case 'gaussianTimestampRandom':
      return gaussian(spec, true);
    case 'gaussianTimestampConstant':
      return gaussian(spec, false);
    case 'randomComponent':
      return randomComponent(spec.seed, spec.components);
  }
}
