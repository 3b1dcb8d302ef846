import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Duration, formatDuration, parseDuration } from '../../../src/core/base/duration.ts';
import { Random } from '../../../src/core/base/random.ts';
import { checkSchema } from '../../../src/core/base/schema.ts';

test('durations that are read', () => {
  const table: [string, number][] = [
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0.4ms', 0],
  ];
  for (const [text, ms] of table) assert.equal(parseDuration(text), ms, text);
});

test('texts that are no durations', () => {
  const texts = [
    '',
    '30',
    '30 s',
    's',
    '-1s',
    '1e3s',
    '1S',
    '1m 30s',
    '.5s',
    '1.s',
    '99999999d',
    '1µs',
  ];
  for (const text of texts) assert.equal(parseDuration(text), undefined, text);
  assert.equal(parseDuration(`${'1'.repeat(40)}s`), undefined);
});

test('the schema takes what is read, and nothing else: too long is no duration that lasts for ever', () => {
  for (const text of ['0s', '3650d', '1m30s', '3651d', '99999d', '9'.repeat(31) + 's', '5', 'x']) {
    assert.equal(checkSchema(Duration, text).ok, parseDuration(text) !== undefined, text);
  }
  const checked = checkSchema(Duration, '3651d');
  const problems = checked.ok ? [] : checked.problems;
  assert.deepEqual(problems, [{ path: '', message: 'longer than ten years', found: '"3651d"' }]);
});

test('what is written reads back the same', () => {
  const random = new Random(5);
  for (let count = 0; count < 500; count++) {
    const ms = random.below(400_000_000);
    assert.equal(parseDuration(formatDuration(ms)), ms);
  }
  assert.equal(formatDuration(90_000), '1m30s');
  assert.equal(formatDuration(0), '0s');
});
