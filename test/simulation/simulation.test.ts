import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './run.ts';
import { ONE, testHalf, testOne } from './seeds.ts';

if (ONE === undefined) testHalf(0);
else test(`every law holds after every event, seed ${ONE}`, () => testOne(Number(ONE)));

test('the same seed is the same life, line by line', async () => {
  const [one, two] = [await simulate(7), await simulate(7)];
  assert.ok(one.log.length > 50);
  assert.deepEqual(one.log, two.log);
});
