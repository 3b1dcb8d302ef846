import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';

/** splitmix64 in BigInt as published (Steele, Lea, Flood 2014; Vigna's public-domain C), written anew. */
function* splitmix(seed: bigint): Generator<bigint> {
  const mask = 2n ** 64n - 1n;
  for (let state = seed; ;) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    const first = ((state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    const second = ((first ^ (first >> 27n)) * 0x94d049bb133111ebn) & mask;
    yield second ^ (second >> 31n);
  }
}

/** xoshiro128** in BigInt as published (Blackman, Vigna 2018): slow, and hard to get wrong. */
function* xoshiro(words: readonly bigint[]): Generator<bigint> {
  const mask = 2n ** 32n - 1n;
  const rotate = (value: bigint, bits: bigint): bigint =>
    ((value << bits) | (value >> (32n - bits))) & mask;
  let [a = 0n, b = 0n, c = 0n, d = 0n] = words;
  for (;;) {
    yield (rotate((b * 5n) & mask, 7n) * 9n) & mask;
    const shifted = (b << 9n) & mask;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11n);
  }
}

function take<T>(count: number, values: Generator<T>): T[] {
  return Array.from({ length: count }, () => values.next().value as T);
}

test('splitmix64 of seed 0 begins with the published numbers', () => {
  // https://prng.di.unimi.it/splitmix64.c with state 0.
  assert.deepEqual(take(3, splitmix(0n)), [
    0xe220a8397b1dcdafn,
    0x6e789e6aa1b965f4n,
    0x06c45d188009454fn,
  ]);
});

test('xoshiro128** of state 1 2 3 4 begins with the published numbers', () => {
  // The reference vector of Rust's rand_xoshiro, made with https://prng.di.unimi.it/xoshiro128starstar.c.
  assert.deepEqual(take(10, xoshiro([1n, 2n, 3n, 4n])), [
    11520n,
    0n,
    5927040n,
    70819200n,
    2031721883n,
    1637235492n,
    1287239034n,
    3734860849n,
    3729100597n,
    4258142804n,
  ]);
});

test('Random is xoshiro128** seeded by splitmix64', () => {
  for (const seed of [0n, 1n, 42n, 2n ** 64n - 1n, 0xdeadbeefcafef00dn]) {
    const [first = 0n, second = 0n] = take(2, splitmix(seed));
    const low = 2n ** 32n - 1n;
    const reference = xoshiro([first >> 32n, first & low, second >> 32n, second & low]);
    const random = new Random(seed);
    const drawn = Array.from({ length: 200 }, () => BigInt(random.next()));
    assert.deepEqual(drawn, take(200, reference), `seed ${seed}`);
  }
});

test('the golden vectors of the documentation hold', () => {
  const page = readFileSync(new URL('../../../docs/reference/random.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\d+)` \| `([^`]*)` \| `([^`]+)` \|$/gm)];
  assert.ok(rows.length >= 6, `only ${rows.length} vectors found`);
  for (const [, seed = '', name = '', numbers = ''] of rows) {
    const root = new Random(BigInt(seed));
    const random = name === '-' ? root : root.fork(name);
    const drawn = numbers.split(' ').map(() => random.next());
    assert.equal(drawn.join(' '), numbers, `seed ${seed}, fork '${name}'`);
  }
});

test('a fork depends on seed and name alone', () => {
  const fresh = new Random(7).fork('network.delay').next();
  const used = new Random(7);
  for (let count = 0; count < 10; count++) used.next();
  used.fork('another').next();
  assert.equal(used.fork('network.delay').next(), fresh);
  assert.notEqual(new Random(8).fork('network.delay').next(), fresh);
  assert.notEqual(new Random(7).fork('network.loss').next(), fresh);
});

test('below is even, within its bound, and never beyond', () => {
  const random = new Random(3);
  const counts = Array.from({ length: 6 }, () => 0);
  for (let count = 0; count < 60_000; count++) {
    const drawn = random.below(6);
    assert.ok(Number.isInteger(drawn) && drawn >= 0 && drawn < 6);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  // 10,000 each; a standard deviation is 91.
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, counts.join(' '));
  assert.equal(random.below(1), 0);
  assert.ok(random.below(2 ** 32) >= 0);
  assert.throws(() => random.below(0));
  assert.throws(() => random.below(1.5));
});

test('weighted, chance, shuffle and sample do what they say', () => {
  const random = new Random(11);
  const counts = [0, 0, 0];
  for (let count = 0; count < 40_000; count++) {
    const index = random.weighted([1, 0, 3]);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  assert.equal(counts[1], 0);
  assert.ok(Math.abs((counts[0] ?? 0) - 10_000) < 500, counts.join(' '));
  assert.equal(random.chance({ numerator: 0, denominator: 5 }), false);
  assert.equal(random.chance({ numerator: 5, denominator: 5 }), true);
  const items = [1, 2, 3, 4, 5, 6, 7, 8];
  assert.deepEqual(
    random.shuffle(items).toSorted((a, b) => a - b),
    items,
  );
  const sample = random.sample(items, 3);
  assert.equal(new Set(sample).size, 3);
  assert.deepEqual(
    sample,
    sample.toSorted((a, b) => a - b),
  );
});
