/** The generated reference says what the code says. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { EVENT_TYPES } from '../src/core/model/event-types.ts';
import { referencePages } from '../tools/docs/pages.ts';
import { describeShape } from '../tools/docs/parameters.ts';
import { filesOf, ROOT } from './tidy/source.ts';

const FOLDER = path.join(ROOT, 'docs', 'reference');

test('every generated page is fresh', async () => {
  const pages = await referencePages();
  for (const [name, text] of pages) {
    const written = readFileSync(path.join(FOLDER, name), 'utf8');
    assert.ok(written === text, `docs/reference/${name} is stale; run node tools/docs.ts`);
  }
  const kinds = readdirSync(path.join(FOLDER, 'faults')).map((name) => `faults/${name}`);
  assert.deepEqual(
    kinds.filter((name) => !pages.has(name)),
    [],
    'pages of kinds that are no more',
  );
});

test('every event that the code sends is in the table', () => {
  const lines = filesOf(['.ts'], 'src').flatMap(({ text }) => text.split('\n'));
  const sent = lines
    .filter((line) => /\btype: /.test(line))
    .flatMap((line) => [
      ...line.matchAll(/'((?:cluster|coordinator|disk|fault|node|run)\.[a-zA-Z]+)'/g),
    ])
    .map((match) => match[1] ?? '');
  const types = new Set(sent);
  assert.ok(types.size > 5, 'events are found');
  for (const type of types) assert.ok(type in EVENT_TYPES, `${type} is not in event-types.ts`);
});

test('schemas in words', () => {
  assert.equal(describeShape({ type: 'integer', minimum: 1, maximum: 9 }), 'whole number, 1 to 9');
  assert.equal(describeShape({ enum: ['a', 'b'] }), '`a`, `b`');
  assert.equal(
    describeShape({ type: 'array', items: { title: 'node name' } }),
    'list of node name',
  );
});
