import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, sameJson } from '../../../src/core/base/canonical-json.ts';

test('keys are sorted at every depth, nothing is added', () => {
  const value = { b: [{ z: 1, a: null }, 'ü"'], a: { d: true, c: 0.5 } };
  assert.equal(canonicalJson(value), '{"a":{"c":0.5,"d":true},"b":[{"a":null,"z":1},"ü\\""]}');
});

test('undefined members are left out, undefined items are null', () => {
  assert.equal(canonicalJson({ a: undefined, b: [undefined] }), '{"b":[null]}');
});

test('the order in which an object was made does not count', () => {
  assert.ok(sameJson({ a: 1, b: 2 }, { b: 2, a: 1 }));
  assert.ok(!sameJson({ a: 1 }, { a: '1' }));
  assert.ok(!sameJson([1, 2], [2, 1]));
});

test('what is nested without end is written as it is', () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  assert.equal(canonicalJson(JSON.parse(deep)), deep);
  assert.equal(
    canonicalJson({ b: [], a: {}, c: [undefined, { x: undefined }] }),
    '{"a":{},"b":[],"c":[null,{}]}',
  );
});
