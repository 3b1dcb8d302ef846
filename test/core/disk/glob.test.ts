import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globMatches, parseGlob } from '../../../src/core/disk/glob.ts';

const YES: [string, string][] = [
  ['**', ''],
  ['**', 'a/b'],
  ['**/*.log', '0.log'],
  ['**/*.log', 't-0/0.log'],
  ['*.log', 'a.log'],
  ['t-?/**', 't-1/a/b'],
  ['a/**/b', 'a/b'],
  ['a/**/b', 'a/x/y/b'],
  ['{a,b}/*.{log,index}', 'b/0.index'],
  ['[!a-c]x', 'dx'],
  ['\\*', '*'],
  ['/t/x', 't/x'],
  ['ü*', 'üb'],
  ['a**z', 'a/b/z'],
  ['{a,{b,c}}', 'c'],
  ['t-[0-9]*/0*.log', 't-12/000.log'],
  ['[]]', ']'],
  ['😀*', '😀x'],
  ['?\\😀[😀]', 'x😀😀'],
];
const NO: [string, string][] = [
  ['*.log', 't/a.log'],
  ['**/*.log', 'a.logs'],
  ['a/**/b', 'ab'],
  ['?', '/'],
  ['[!a]', '/'],
  ['t-?', 't-'],
  ['A', 'a'],
  ['**/b', 'ab'],
  ['a/*', 'a'],
  ['{a,b}', 'c'],
];

test('globs take the whole path', () => {
  for (const [text, path] of YES) {
    const glob = parseGlob(text);
    assert.ok(!('error' in glob) && globMatches(glob, path), `${text} ${path}`);
  }
  for (const [text, path] of NO) {
    const glob = parseGlob(text);
    assert.ok(!('error' in glob) && !globMatches(glob, path), `${text} ${path}`);
  }
});

test('what is no glob is refused with its reason', () => {
  for (const bad of ['[a', '{a', 'a}', 'a\\', '[z-a]', '\0', '{a,b}'.repeat(7)]) {
    assert.ok('error' in parseGlob(bad), bad);
  }
});

test('no pattern takes long', () => {
  const glob = parseGlob('**a'.repeat(100));
  assert.ok(!('error' in glob));
  assert.equal(globMatches(glob, `${'a'.repeat(4000)}b`), false);
});
