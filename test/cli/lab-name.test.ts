import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meantOf } from '../../src/cli/lab.ts';

test('the lab that is meant: the one named, the only one, or the one called lab', () => {
  assert.equal(meantOf(['a', 'b'], 'c'), 'c');
  assert.equal(meantOf(['small'], undefined), 'small');
  assert.equal(meantOf([], undefined), 'lab');
  assert.equal(meantOf(['a', 'lab'], undefined), 'lab');
  assert.equal(meantOf(['a', 'b'], undefined), 'lab', 'none is meant: nothing is taken down');
});
