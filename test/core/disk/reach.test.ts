import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { reachOf, reachingNames } from '../../../src/core/disk/reach.ts';
import { compileRules, matchesPath, placed } from '../../../src/core/disk/rule.ts';
import { globMatches, globReaches, parseGlob } from '../../../src/core/disk/glob.ts';

const SEED = 31;

function reaches(text: string, directory: string): boolean {
  const glob = parseGlob(text);
  assert.ok(!('error' in glob), text);
  return globReaches(glob, directory);
}

test('a glob reaches the directories that something it takes could be in', () => {
  assert.ok(reaches('**/*.log', 'a/b/'));
  assert.ok(reaches('a/*.log', 'a/'));
  assert.ok(!reaches('a/*.log', ''));
  assert.ok(!reaches('a/*.log', 'b/'));
  assert.ok(!reaches('a/*.log', 'a/b/'));
  assert.ok(!reaches('*.log', 'a/'));
  assert.ok(reaches('{a,b}-*/**', 'b-1/'));
  assert.ok(!reaches('{a,b}-*/**', 'c-1/'));
  assert.ok(!reaches('**/b/**', 'a/'));
  assert.ok(reaches('**/b/**', 'a/b/'));
});

test('where a glob does not reach, it takes nothing', () => {
  const part = fc.constantFrom('a', 'b', '*', '?', '**', 'a*', '{a,b}', '[!a]');
  const glob = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const path = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(glob, path, (text, parts) => {
      const parsed = parseGlob(text);
      assert.ok(!('error' in parsed));
      const directory = parts
        .slice(0, -1)
        .map((name) => `${name}/`)
        .join('');
      if (globMatches(parsed, parts.join('/'))) assert.ok(globReaches(parsed, directory));
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test('asking fewer rules finds the same', () => {
  const name = fc.constantFrom('a', 'b', 'x.log', 'y.index', 'é', 'z.log');
  const globs = [
    '**',
    '**/*.log',
    '*.log',
    'a/**',
    '**/*.{log,index}',
    '**/é',
    'a/*',
    '**/b/*.log',
  ];
  const rules = compileRules(
    placed({
      version: 1,
      faults: globs.map((path, index) => ({
        id: `f${index}`,
        match: { path: [path] },
        fault: { kind: 'readonly' },
      })),
    }),
  );
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 3 }), (parts) => {
      const path = parts.join('/');
      const reach = reachOf(rules, parts.slice(0, -1).join('/'));
      const some = reachingNames(reach, Buffer.from(path).at(-1) ?? 0);
      assert.deepEqual(
        some.filter((rule) => matchesPath(rule, path)).map((rule) => rule.id),
        rules.filter((rule) => matchesPath(rule, path)).map((rule) => rule.id),
      );
    }),
    { seed: SEED, numRuns: 1000 },
  );
});
