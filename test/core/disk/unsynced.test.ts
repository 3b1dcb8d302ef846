import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Random } from '../../../src/core/base/random.ts';
import { planWrite } from '../../../src/core/disk/alter.ts';
import { overlay, planLoss, type Image } from '../../../src/core/disk/unsynced.ts';

const SEED = 77;
const SIZE = 20_000;

function applyEdit(bytes: Uint8Array, edit: ReturnType<typeof planLoss>): Uint8Array {
  const after = new Uint8Array(edit.extendTo);
  after.set(bytes.subarray(0, Math.min(edit.truncateTo, edit.extendTo)));
  for (const write of edit.writes) after.set(write.bytes, write.offset);
  return after;
}

/**
 * A durable file, then unsynced writes with the images a file system would keep of them; of byte 0 it
 * is cut off at the offset instead.
 */
const history = fc.record({
  durable: fc.integer({ min: 0, max: SIZE }),
  writes: fc.array(
    fc.record({
      offset: fc.integer({ min: 0, max: SIZE }),
      size: fc.integer({ min: 1, max: 6000 }),
      byte: fc.oneof(fc.constant(0), fc.integer({ min: 2, max: 255 })),
    }),
    { maxLength: 8 },
  ),
});

test('losing all gives the durable file back; what is lost in part is old, new or zero', () => {
  fc.assert(
    fc.property(history, fc.integer(), ({ durable, writes }, seed) => {
      const before = new Uint8Array(durable).fill(1);
      let now = new Uint8Array(before);
      const images: Image[] = [];
      for (const { offset, size, byte } of writes) {
        const isCut = byte === 0;
        const end = Math.min(isCut ? SIZE * 2 : offset + size, durable, now.length);
        if (offset < end) images.push({ offset, bytes: now.slice(offset, end) });
        if (isCut) {
          now = now.slice(0, offset);
          continue;
        }
        const grown = new Uint8Array(Math.max(now.length, offset + size));
        grown.set(now);
        grown.fill(byte, offset, offset + size);
        now = grown;
      }
      const file = { durableSize: durable, size: now.length, images };
      assert.deepEqual(applyEdit(now, planLoss(file, 'all', new Random(seed))), before);
      const stale = new Uint8Array(now);
      overlay(file, 0, stale);
      assert.deepEqual(stale.slice(0, durable), before.slice(0, now.length));
      assert.ok(stale.slice(durable).every((byte) => byte === 0));
      for (const loss of ['subset', 'torn', 'reordered'] as const) {
        const after = applyEdit(now, planLoss(file, loss, new Random(seed)));
        assert.ok(after.length >= durable);
        if (loss === 'torn') assert.ok(after.length === durable || after.length % 512 === 0);
        // What was cut off and not written since is there as it was durable.
        assert.ok(
          after.slice(now.length, durable).every((byte) => byte === 1),
          loss,
        );
        for (const [at, byte] of after.entries()) {
          const isOld = at < durable && byte === 1;
          const isNew = byte === now[at];
          const wasBetween = writes.some((write) => write.byte === byte);
          assert.ok(isOld || isNew || byte === 0 || wasBetween, `${loss} at ${at}: ${byte}`);
        }
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('a torn write loses at least one whole sector and keeps sectors whole', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: 1, max: 9000 }),
      fc.bigInt({ min: 0n, max: 9999n }),
      (offset, size, seed) => {
        const plan = planWrite([{ effect: { kind: 'torn', keep: 'prefix' }, seed }], size, offset);
        const kept = plan.pieces.reduce((sum, piece) => sum + piece.to - piece.from, 0);
        assert.ok(kept < size);
        assert.ok(kept === 0 || (offset + kept) % 512 === 0);
        assert.deepEqual([plan.told, plan.extends], [size, true]);
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});
