import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { Duration } from '../../../src/core/base/duration.ts';
import { checkSchema } from '../../../src/core/base/schema.ts';

const Document = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    duration: Duration,
    mode: Type.Optional(Type.Enum(['fast', 'slow'])),
    items: Type.Optional(
      Type.Array(
        Type.Object({ count: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }),
      ),
    ),
  },
  { additionalProperties: false },
);

test('a right document comes back as it is', () => {
  const document = { name: 'x', duration: '30s', mode: 'fast', items: [{ count: 1 }] };
  const checked = checkSchema(Document, document);
  assert.ok(checked.ok);
  assert.equal(checked.value, document);
});

test('all problems come at once, each with its path', () => {
  const checked = checkSchema(Document, {
    durtion: '30s',
    duration: 30,
    mode: 'fst',
    items: [{ count: 1 }, { count: 0, more: true }],
  });
  assert.ok(!checked.ok);
  const paths = checked.problems.map(({ path }) => path).toSorted();
  assert.deepEqual(paths, [
    '/duration',
    '/durtion',
    '/items/1/count',
    '/items/1/more',
    '/mode',
    '/name',
  ]);
  const found = (path: string) => checked.problems.find((problem) => problem.path === path);
  assert.equal(found('/durtion')?.nearMiss, 'duration');
  assert.equal(found('/mode')?.nearMiss, 'fast');
  assert.match(found('/duration')?.expected ?? '', /unit/);
  assert.match(found('/name')?.message ?? '', /missing/);
});

test('of a union without a name all forms are said at once', () => {
  const Lease = Type.Object({ lease: Type.Union([Type.Enum(['none']), Duration]) });
  const checked = checkSchema(Lease, { lease: '3' });
  assert.ok(!checked.ok);
  assert.deepEqual(
    checked.problems.map(({ path }) => path),
    ['/lease'],
  );
  assert.match(checked.problems[0]?.expected ?? '', /'none'; or .*unit/);
});
