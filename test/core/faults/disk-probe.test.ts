import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeOf } from '../../../src/core/faults/disk/probe.ts';
import type { Effect } from '../../../src/core/disk/specification.ts';

const EIO: Effect = { kind: 'error', errno: 'EIO' };
const STALL: Effect = { kind: 'stall' };

test('what can be shown without writing is', () => {
  assert.equal(probeOf(EIO, {}, {}), 'read');
  assert.equal(probeOf(STALL, { op: ['open'] }, { probability: '1/2' }), 'read');
  assert.equal(probeOf({ kind: 'gone' }, {}, {}), 'read');
  assert.equal(probeOf({ kind: 'stale' }, {}, {}), 'read');
  assert.equal(probeOf(EIO, { op: ['getattr'] }, {}), 'look');
  assert.equal(probeOf(EIO, { op: ['sync'] }, {}), 'sync');
});

test('what would change something is not: writes, and a sync that is carried out', () => {
  for (const op of ['write', 'create', 'rename', 'fsyncdir'] as const)
    assert.equal(probeOf(EIO, { op: [op] }, {}), undefined);
  assert.equal(probeOf(STALL, { op: ['fsync'] }, {}), undefined);
  assert.equal(probeOf({ kind: 'fsync', how: 'fails' }, {}, {}), undefined);
  assert.equal(probeOf({ kind: 'lost' }, {}, {}), undefined);
  assert.equal(probeOf({ kind: 'full' }, {}, {}), undefined);
});

test('hits that are counted out, or meant for somebody, are theirs', () => {
  for (const when of [{ count: 1 }, { skip: 3 }, { every: 2 }, { sequence: '.x' }, { delay: '1s' }])
    assert.equal(probeOf(EIO, {}, when), undefined);
  assert.equal(probeOf(EIO, { pid: [7] }, {}), undefined);
  assert.equal(probeOf(EIO, { range: [{ from: 5, to: 9 }] }, {}), undefined);
});
