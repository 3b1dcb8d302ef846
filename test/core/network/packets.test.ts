import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { damage } from '../../../src/core/network/damage.ts';
import { PeerTable } from '../../../src/core/network/peer-table.ts';
import { RateLimit } from '../../../src/core/network/rate.ts';
import { ReleaseQueue } from '../../../src/core/network/release-queue.ts';

suite('packets that wait', () => {
  test('leave by when they are due, equals in the order they came (random orders)', () => {
    const random = new Random(11);
    for (let round = 0; round < 50; round++) {
      const queue = new ReleaseQueue();
      const all = Array.from({ length: 1 + random.below(3_000) }, (_, id) => ({
        id,
        due: random.below(200),
      }));
      for (const { due, id } of all) queue.push(due, id, id + 1);
      assert.equal(queue.size, all.length);
      const left: number[] = [];
      while (queue.size > 0) left.push(queue.pop());
      const wanted = all.toSorted((a, b) => a.due - b.due || a.id - b.id).map(({ id }) => id);
      assert.deepEqual(left, wanted);
      assert.equal(queue.nextDue, Infinity);
    }
  });

  test('come and go', () => {
    const queue = new ReleaseQueue();
    queue.push(5, 1, 100);
    queue.push(3, 2, 20);
    assert.equal(queue.nextDue, 3);
    assert.equal(queue.pop(), 2);
    queue.push(4, 3, 3);
    assert.deepEqual([queue.pop(), queue.pop()], [3, 1]);
  });
});

suite('a rate', () => {
  const limit = (peers = 1): RateLimit =>
    new RateLimit({ bytesPerSecond: 1_000_000, burstBytes: 3_000, latencyUs: 5_000 }, peers);

  test('lets a burst pass, then spaces packets, then drops what would wait too long', () => {
    const rate = limit();
    const waits = Array.from({ length: 10 }, () => rate.waitUs(0, 1_000, 1e6));
    assert.deepEqual(waits, [0, 0, 0, 1_000, 2_000, 3_000, 4_000, 5_000, -1, -1]);
    assert.equal(rate.waitUs(0, 1_000, 1e6 + 1_000), 5_000);
  });

  test('is saved up for one burst and no more', () => {
    const rate = limit();
    for (let count = 0; count < 5; count++) rate.waitUs(0, 1_000, 1e6);
    const later = Array.from({ length: 4 }, () => rate.waitUs(0, 1_000, 9e6));
    assert.deepEqual(later, [0, 0, 0, 1_000]);
  });

  test('is each peer’s own', () => {
    const rate = limit(2);
    for (let count = 0; count < 5; count++) rate.waitUs(0, 1_000, 1e6);
    assert.equal(rate.waitUs(1, 1_000, 1e6), 0);
  });
});

suite('whose packet', () => {
  test('by source address, of either family', () => {
    const table = new PeerTable([['10.1.2.3', 'fd00::1'], ['200.1.2.4'], ['fd00:198:19:1::2']]);
    const ipv4 = (...source: number[]): Uint8Array =>
      Uint8Array.from([0x45, ...Array.from({ length: 11 }, () => 0), ...source]);
    const ipv6 = (...groups: number[]): Uint8Array =>
      Uint8Array.from([
        0x60,
        ...Array.from({ length: 7 }, () => 0),
        ...groups.flatMap((each) => [each >> 8, each & 255]),
      ]);
    assert.equal(table.of(ipv4(10, 1, 2, 3), 0), 0);
    assert.equal(table.of(ipv4(200, 1, 2, 4), 0), 1);
    assert.equal(table.of(ipv4(10, 1, 2, 4), 0), 3);
    assert.equal(table.of(ipv6(0xfd00, 0, 0, 0, 0, 0, 0, 1), 0), 0);
    assert.equal(table.of(ipv6(0xfd00, 0x198, 0x19, 1, 0, 0, 0, 2), 0), 2);
    assert.equal(table.of(ipv6(0xfd00, 0, 0, 0, 0, 0, 0, 2), 0), 3);
  });
});

/** The ones' complement sum of RFC 1071 over a pseudo header and the rest. */
function sums(packet: Uint8Array, at: number, addresses: Uint8Array, protocol: number): number {
  const transport = packet.subarray(at);
  const length = transport.length;
  const pseudo = [...addresses, 0, protocol, length >> 8, length & 255];
  const bytes = [...pseudo, ...transport, ...(length % 2 === 1 ? [0] : [])];
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += ((bytes[index] ?? 0) << 8) + (bytes[index + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

interface Made {
  packet: Uint8Array;
  sum(): number;
  payloadAt: number;
}

/** A packet with a checksum that fits. */
function make(family: 4 | 6, protocol: 6 | 17, payload: number): Made {
  const random = new Random(payload + protocol);
  const ipBytes = family === 4 ? 20 : 40;
  const headerBytes = protocol === 6 ? 20 : 8;
  const packet = Uint8Array.from({ length: ipBytes + headerBytes + payload }, () =>
    random.below(256),
  );
  packet[0] = family === 4 ? 0x45 : 0x60;
  packet[6] = family === 4 ? 0x40 : protocol;
  if (family === 4) [packet[7], packet[9]] = [0, protocol];
  if (protocol === 6) packet[ipBytes + 12] = 0x50;
  const checksumAt = ipBytes + (protocol === 6 ? 16 : 6);
  packet[checksumAt] = packet[checksumAt + 1] = 0;
  const addresses = family === 4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  const sum = (): number => sums(packet, ipBytes, addresses, protocol);
  const checksum = ~sum() & 0xffff;
  [packet[checksumAt], packet[checksumAt + 1]] = [checksum >> 8, checksum & 255];
  return { packet, sum, payloadAt: ipBytes + headerBytes };
}

suite('damage', () => {
  for (const family of [4, 6] as const) {
    for (const protocol of [6, 17] as const) {
      test(`IPv${family}, protocol ${protocol}: the payload alone, with a sum that fits or not`, () => {
        for (const payload of [1, 2, 3, 100, 1_001]) {
          for (const remade of [true, false]) {
            const { packet, sum, payloadAt } = make(family, protocol, payload);
            assert.equal(sum(), 0xffff, 'the test’s own packet is whole');
            const before = Uint8Array.from(packet);
            assert.ok(damage(packet, packet.length, new Random(3), 1, remade));
            const changed = [...packet.keys()].filter((at) => packet[at] !== before[at]);
            assert.equal(changed.filter((at) => at >= payloadAt).length, 1);
            assert.equal(sum() === 0xffff, remade, `${payload} bytes`);
            if (!remade) assert.equal(changed.length, 1);
          }
        }
      });
    }
  }

  test('nothing where there is no payload, or no TCP or UDP', () => {
    const { packet, payloadAt } = make(4, 6, 10);
    assert.equal(damage(packet, payloadAt, new Random(1), 1, true), false);
    packet[9] = 1;
    assert.equal(damage(packet, packet.length, new Random(1), 1, true), false);
  });
});
