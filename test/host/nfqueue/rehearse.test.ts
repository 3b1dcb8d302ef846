import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { PacketShape } from '../../../src/core/model/packet-shape.ts';
import { rehearse } from '../../../src/host/nfqueue/rehearse.ts';

const NONE = { numerator: 0, denominator: 1 };
const SOME = { ratio: { numerator: 1, denominator: 10 }, correlation: NONE };
const DELAY = { latencyUs: 3_600_000_000, jitterUs: 1_000, correlation: NONE } as const;

const SHAPES: Record<string, PacketShape> = {
  'nothing is done': {},
  'an hour late': { delay: { ...DELAY, jitterUs: 0, distribution: 'uniform' } },
  'an hour late, out of order': { delay: { ...DELAY, distribution: 'normal' }, loss: SOME },
  'held, damaged and doubled': {
    reorder: { chosen: { gap: 10 }, holdUs: 10_000_000 },
    corrupt: { ...SOME, bytes: 1, checksum: 'remade' },
    duplicate: SOME,
  },
  'of a rate': { rate: { bytesPerSecond: 1_000, burstBytes: 1_000, latencyUs: 60_000_000 } },
};

suite('the rehearsal of a packet process', () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    test(`${name}: plays enough packets, and waits for none`, () => {
      const played = rehearse({ queue: 1, shape, seed: 1, peers: [['192.0.0.0']] });
      assert.ok(played.packets > 20_000, `${played.packets} packets`);
      assert.equal(played.seen, played.packets);
    });
  }
});
