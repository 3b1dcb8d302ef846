import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as assertProperty, nat, property, string, tuple } from 'fast-check';
import { crc32 } from '../../../src/core/agent/crc32.ts';
import type { ArmRecord, Progress } from '../../../src/core/agent/journal-record.ts';
import {
  GROW_SLOTS,
  JournalSlots,
  SLOT_BYTES,
  type SlotWrite,
} from '../../../src/core/agent/journal-slots.ts';

function recordOf(id: string, undos = 1, says = 'undo'): ArmRecord {
  return {
    id,
    instance: 1,
    owner: 'o',
    kind: 'noop',
    specHash: 'h',
    node: 'n1',
    bootId: 'boot',
    armedAtBootMs: 1,
    plan: [],
    claims: [],
    undos: Array.from({ length: undos }, (_, index) => ({
      says: `${says} ${index}`,
      act: { act: 'noop' as const, token: `t${index}` },
    })),
  };
}

const written = (file: string, writes: readonly SlotWrite[]): string =>
  writes.reduce((text, { offset, text: bytes }) => {
    const padded = text.padEnd(offset + bytes.length, '\0');
    return padded.slice(0, offset) + bytes + padded.slice(offset + bytes.length);
  }, file);

function fresh(): { slots: JournalSlots; file: string } {
  const slots = new JournalSlots();
  slots.read('');
  slots.grown(GROW_SLOTS);
  return { slots, file: '\0'.repeat(GROW_SLOTS * SLOT_BYTES) };
}

const armedState: Progress = { state: 'armed' };

test('crc32 is that of ISO 3309', () => {
  assert.equal(crc32('123456789'), 0xcbf43926);
});

test('a record of any size and any text comes back; a forgotten one does not', () => {
  assertProperty(
    property(array(tuple(nat(30), string({ unit: 'binary' }))), (drawn) => {
      const { slots, file } = fresh();
      let text = file;
      const kept: ArmRecord[] = [];
      for (const [index, [undos, says]] of drawn.slice(0, 6).entries()) {
        const record = recordOf(`f${index}`, undos, says);
        const lacking = slots.lacking(record);
        if (lacking > 0) {
          text += '\0'.repeat(lacking * SLOT_BYTES);
          slots.grown(lacking);
        }
        const { serial, writes } = slots.arm(record, armedState);
        text = written(text, writes);
        if (index % 3 === 2) text = written(text, slots.forget(serial));
        else kept.push(record);
      }
      const read = new JournalSlots().read(text);
      assert.deepEqual(
        read.map((entry) => entry.arm),
        kept,
      );
    }),
    { seed: 42, numRuns: 60 },
  );
});

test('a torn slot is no record; a torn progress leaves the one before', () => {
  const { slots, file } = fresh();
  const { serial, writes } = slots.arm(recordOf('a', 40), armedState);
  const whole = written(file, writes);
  const arms = writes.length - 1;
  assert.ok(arms > 2);
  for (let index = 0; index < arms; index++) {
    const torn = writes.map((write, place) =>
      place === index ? { ...write, text: write.text.slice(0, 300) } : write,
    );
    assert.deepEqual(new JournalSlots().read(written(file, torn)), []);
  }
  const next = slots.progress(serial, { state: 'active', firedAtBootMs: 7 });
  const half = next.map((write) => ({ ...write, text: write.text.slice(0, 60) }));
  assert.equal(new JournalSlots().read(written(whole, half))[0]?.progress.state, 'armed');
  assert.equal(new JournalSlots().read(written(whole, next))[0]?.progress.state, 'active');
});

test('progress of any length fits its slot', () => {
  const { slots } = fresh();
  const { serial } = slots.arm(recordOf('a'), armedState);
  for (let length = 0; length < 1_100; length++) {
    for (const progress of [
      { state: 'active', says: 'x'.repeat(length) },
      { state: 'active', during: { query: 'listening', ports: [], name: 'x'.repeat(length) } },
    ]) {
      const [write] = slots.progress(serial, progress as unknown as Progress);
      assert.equal(write?.text.length, SLOT_BYTES);
    }
  }
});

test('progress is written in place, whatever an error says', () => {
  const { slots, file } = fresh();
  const { serial, writes } = slots.arm(recordOf('a'), armedState);
  let text = written(file, writes);
  for (let round = 0; round < 50; round++) {
    const error = 'é'.repeat(round * 100);
    text = written(text, slots.progress(serial, { state: 'stuck', error }));
    assert.equal(text.length, file.length);
  }
  const again = new JournalSlots();
  assert.equal(again.read(text)[0]?.progress.state, 'stuck');
  // A record read again goes on where it was.
  text = written(text, again.progress(serial, { state: 'healed' }));
  assert.equal(new JournalSlots().read(text)[0]?.progress.state, 'healed');
});
