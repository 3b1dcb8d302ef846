import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Reaches, reachingName } from '../../../src/core/disk/reach.ts';
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
  const name = fc.constantFrom('a', 'b', 'x.log', 'y.index', 'é', 'éx', 'b.log', 'og');
  const globs = [
    '**',
    '**/*.log',
    '*.log',
    'a/**',
    '**/*.{log,index}',
    '**/é',
    'a/*',
    '**/b/*.log',
    '**/b{.log,}',
    'a/{b,*g,éx}',
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
  const reaches = new Reaches(rules);
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 3 }), (parts) => {
      const path = parts.join('/');
      const last = Buffer.from(parts.at(-1) ?? '');
      const reach = reaches.of(parts.slice(0, -1).join('/'));
      const some = reachingName(reach, last, 0, last.length);
      assert.deepEqual(
        some.filter((rule) => matchesPath(rule, path)).map((rule) => rule.id),
        rules.filter((rule) => matchesPath(rule, path)).map((rule) => rule.id),
      );
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('of a hundred rules that take other names, none is left to be asked', () => {
  const faults = Array.from({ length: 100 }, (_, index) => ({
    id: `f${index}`,
    match: { path: [`**/*.nothing${index}`] },
    fault: { kind: 'readonly' as const },
  }));
  const reaches = new Reaches(compileRules(placed({ version: 1, faults })));
  const asked = (name: string): string[] => {
    const bytes = Buffer.from(name);
    const found = reachingName(reaches.of('a/b'), bytes, 0, bytes.length);
    return found.map((rule) => rule.id);
  };
  assert.deepEqual(asked('f17'), []);
  assert.deepEqual(asked('thing17'), []);
  assert.deepEqual(asked('x.nothing17'), ['f17']);
  assert.equal(reaches.of('a/b'), reaches.of('c'));
});
