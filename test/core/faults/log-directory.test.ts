import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takesOffline } from '../../../src/core/faults/disk/log-directory.ts';

test('a log directory goes offline for changes that fail, and for nothing else', () => {
  const error = { kind: 'error', errno: 'EIO' } as const;
  assert.equal(takesOffline(error), true);
  assert.equal(takesOffline(error, { op: ['read', 'statfs'] }), false);
  assert.equal(takesOffline(error, { op: ['write'] }, 'index'), false);
  assert.equal(takesOffline({ kind: 'full' }), true);
  assert.equal(takesOffline({ kind: 'full' }, { op: ['statfs'] }), false);
  assert.equal(takesOffline({ kind: 'readonly' }, { op: ['open'] }), true);
  assert.equal(takesOffline({ kind: 'gone' }), true);
  assert.equal(takesOffline({ kind: 'gone' }, { op: ['read', 'lookup'] }), false);
  assert.equal(takesOffline({ kind: 'fsync', how: 'fails' }), true);
  assert.equal(takesOffline({ kind: 'fsync', how: 'ignored' }), false);
  assert.equal(takesOffline({ kind: 'delay', latency: { fixed: '1h' } }), false);
});
