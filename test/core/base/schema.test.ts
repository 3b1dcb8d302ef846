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

test('of forms that are told apart by their type only the one that is meant is spoken of', () => {
  const strict = { additionalProperties: false };
  const Form = Type.Union(
    [
      Type.Object({ type: Type.Literal('one'), size: Type.Integer() }, strict),
      Type.Object({ type: Type.Literal('two'), seed: Type.Integer(), more: Type.String() }, strict),
    ],
    { title: 'form', description: "with the 'type' one or two" },
  );
  const schema = Type.Object({ list: Type.Array(Form) });
  const checked = checkSchema(schema, {
    list: [{ type: 'one', size: 'x', seed: 1 }, { type: 'three' }, { type: 'one', size: 1 }],
  });
  assert.ok(!checked.ok);
  assert.deepEqual(
    checked.problems.map(({ path, message }) => [path, message]),
    [
      ['/list/0/seed', "unknown field 'seed'"],
      ['/list/0/size', 'must be integer'],
      ['/list/1', 'not a form'],
    ],
  );
});
