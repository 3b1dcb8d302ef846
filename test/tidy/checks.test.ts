/** Each house rule against planted violations: a check that can't fail holds nothing up. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { anchorOf, checkLinks, checkTitles } from './documents.ts';
import { checkCycles, checkLayers, importsOf } from './layers.ts';
import { actNames, checkActs, checkKinds, checkRegistry, checkRoutes } from './registries.ts';
import { checkLengths, checkNames, checkWidth } from './shape.ts';
import { codeOf, type SourceFile, type Violation } from './source.ts';
import {
  checkCatches,
  checkDangerousCommands,
  checkLeftBehind,
  checkPurity,
  checkSkips,
} from './words.ts';

function file(path: string, text: string): SourceFile {
  return { path, text };
}

/** The check finds something in the first text and nothing in the others. */
function tells(
  check: (files: SourceFile[]) => Violation[],
  path: string,
  bad: readonly string[],
  good: readonly string[],
): void {
  for (const text of bad) assert.equal(check([file(path, text)]).length, 1, `not found: ${text}`);
  for (const text of good) assert.deepEqual(check([file(path, text)]), [], `found in: ${text}`);
}

suite('the scanner', () => {
  test('blanks comments and strings, keeps code and lines', () => {
    const text = "a('Date'); // Date\n/* Date\n*/ b(`x ${Date} y`);";
    const code = codeOf(text);
    assert.equal(code.length, text.length);
    assert.equal(code.split('\n').length, 3);
    assert.equal(code.match(/Date/g)?.length, 1, 'only the one in the hole of the template');
  });
  test('knows regular expressions with quotes and slashes from divisions', () => {
    assert.equal(codeOf("x = /['/]'/g; Date").trim().endsWith('Date'), true);
    assert.match(codeOf('const half = total / 2; Date; const third = total / 3;'), /Date/);
  });
  test('finds imports in all their forms', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { B } from '../b.ts';",
      "export { c } from './c.ts';",
      "import './d.css';",
      "const e = await import('./e.ts');",
      "// import './f.ts';",
    ].join('\n');
    assert.deepEqual(
      importsOf(file('src/x/y.ts', text)).map(({ target, typeOnly, line }) => [
        target,
        typeOnly,
        line,
      ]),
      [
        ['src/x/a.ts', false, 1],
        ['src/b.ts', true, 2],
        ['src/x/c.ts', false, 3],
        ['src/x/d.css', false, 4],
        ['src/x/e.ts', false, 5],
      ],
    );
  });
});

suite('layers', () => {
  test('core folders in their order, packages kept out', () => {
    tells(
      checkLayers,
      'src/core/model/x.ts',
      ["import { a } from '../faults/a.ts';", "import fs from 'node:fs';"],
      ["import { a } from '../base/a.ts';", "import { Type } from 'typebox';"],
    );
    tells(
      checkLayers,
      'src/core/schedule/x.ts',
      ["import type { A } from '../agent/a.ts';"],
      ["import { a } from '../faults/a.ts';"],
    );
  });
  test('hands are below, web speaks REST only', () => {
    tells(
      checkLayers,
      'src/host/x.ts',
      ["import { a } from '../cli/a.ts';"],
      ["import { a } from '../core/base/a.ts';"],
    );
    tells(
      checkLayers,
      'src/web/x.ts',
      ["import { a } from '../host/a.ts';", "import ws from 'ws';"],
      ["import uPlot from 'uplot';"],
    );
  });
  test('a circle is found once, a circle of types is none', () => {
    const circle = (type: string): SourceFile[] => [
      file('src/a.ts', "import { b } from './b.ts';"),
      file('src/b.ts', `import ${type}{ a } from './a.ts';`),
    ];
    assert.deepEqual(checkCycles(circle('')), ['import cycle: src/a.ts -> src/b.ts']);
    assert.deepEqual(checkCycles(circle('type ')), []);
  });
});

suite('words', () => {
  test('clocks, chance and locale in core', () => {
    tells(
      checkPurity,
      'src/core/agent/x.ts',
      [
        'Date.now()',
        'Math.random()',
        'performance.now()',
        'new Intl.Collator()',
        'a.localeCompare(b)',
      ],
      ['// Date', "'Date'", 'const updateDate = 1;', 'Math.log(2)'],
    );
    tells(
      checkPurity,
      'src/core/schedule/x.ts',
      ['Math.log(2)', 'Math.pow(2, 3)', 'a ** b'],
      ['Math.imul(a, b)'],
    );
    tells(checkPurity, 'src/host/x.ts', [], ['Date.now()']);
  });
  test('commands that reach further than our own', () => {
    tells(
      checkDangerousCommands,
      'src/host/x.ts',
      [
        "run(['iptables', '-F'])",
        "run('nft flush ruleset')",
        "run(['tc', 'qdisc', 'del', 'dev', 'eth0', 'root'])",
        'spawn(a, { shell: true })',
        "import { exec } from 'node:child_process';",
      ],
      [
        "run(['nft', 'delete', 'table', 'inet', name])",
        "import { execFile } from 'node:child_process';",
        '// never iptables -F',
      ],
    );
    tells(checkDangerousCommands, 'lab/x.sh', ['iptables -F'], ['iptables -S']);
  });
  test('catches without a word', () => {
    tells(
      checkCatches,
      'src/x.ts',
      ['try { a(); } catch {}', 'try { a(); } catch (error) { }', '\n\na.catch(() => {});'],
      [
        'try { a(); } catch {\n  // It was gone already.\n}',
        '// Gone is what closing wants.\na.catch(() => {});',
        'try { a(); } catch (error) { b(error); }',
      ],
    );
  });
  test('half-done work and silenced checks', () => {
    tells(
      checkLeftBehind,
      'test/x.test.ts',
      [
        '// TODO more',
        'test.only(a)',
        'test("a", { only: true })',
        '// @ts-ignore',
        '// oxlint-disable-line no-eval',
      ],
      ['test(a)', "'only: true'", '// oxlint-disable-line no-eval -- the page is the test'],
    );
  });
  test('skips without a need', () => {
    tells(
      checkSkips,
      'test/x.test.ts',
      ['test("a", { skip: true }, f)', 'test.skip("a", f)', 't.skip()'],
      ["test('a', { skip: lacks('root') }, f)"],
    );
  });
});

suite('shape', () => {
  test('long files, unless they are listed with a reason; a list that is out of date', () => {
    const long = file('src/x.ts', 'x\n'.repeat(301));
    assert.equal(checkLengths([long], {}).length, 1);
    assert.deepEqual(checkLengths([long], { 'src/x.ts': 'because' }), []);
    assert.equal(checkLengths([file('src/x.ts', 'x\n')], { 'src/x.ts': 'because' }).length, 1);
    assert.equal(checkLengths([file('src/bin/x.ts', 'x\n'.repeat(61))], {}).length, 1);
  });
  test('wide lines, links aside', () => {
    tells(checkWidth, 'src/x.ts', ['x '.repeat(60)], [`// https://example.org/${'x'.repeat(120)}`]);
  });
  test('names that say nothing', () => {
    for (const name of ['utils', 'string-helper', 'common', 'fault-manager', 'CamelCase']) {
      assert.equal(checkNames([file(`src/${name}.ts`, '')]).length, 1, name);
    }
    assert.deepEqual(
      checkNames([file('src/network.partition.ts', ''), file('src/a-b.test.ts', '')]),
      [],
    );
  });
});

suite('registries', () => {
  test('names without files, files without names, names twice', () => {
    assert.deepEqual(checkRegistry('f', ['a'], ['a.ts', 'registry.ts']), []);
    assert.equal(checkRegistry('f', ['a', 'b'], ['a.ts']).length, 1);
    assert.equal(checkRegistry('f', ['a'], ['a.ts', 'b.ts']).length, 1);
    assert.ok(checkRegistry('f', ['a', 'a'], ['a.ts']).length > 0);
  });
  test('kinds that do not say what they are', () => {
    const good = {
      kind: 'network.partition',
      summary: 'Cuts.',
      doc: 'One.\n\nTwo.\n\nThree.',
      examples: [{ title: 'a', params: {} }],
      colour: '#123abc',
    };
    assert.deepEqual(checkKinds([good]), []);
    for (const bad of [
      { summary: 'Cuts' },
      { doc: 'One.' },
      { examples: [] },
      { colour: 'red' },
      { kind: 'NetworkPartition' },
    ]) {
      assert.equal(checkKinds([{ ...good, ...bad }]).length, 1, JSON.stringify(bad));
    }
  });
  test('acts and routes that nobody handles', () => {
    assert.deepEqual(actNames("| { act: 'a.b'; x: 1 } | { act: 'c' }"), ['a.b', 'c']);
    assert.equal(checkActs(['a', 'b'], [file('x', "case 'a':")]).length, 1);
    const route = { name: 'getRun', method: 'GET', path: '/v1/runs/{id}', answers: {} } as const;
    assert.deepEqual(checkRoutes([route], 'getRun: () => 1', '`GET /v1/runs/{id}`'), []);
    assert.equal(checkRoutes([route], 'getRuns: () => 1', '`GET /v1/runs/{id}`').length, 1);
    assert.equal(checkRoutes([route], 'getRun: () => 1', '').length, 1);
  });
});

suite('documents', () => {
  test('one title a page, fences aside', () => {
    tells(checkTitles, 'a.md', ['text', '# A\n# B'], ['# A\n\n```sh\n# a comment\n```\n\n## B']);
  });
  test('links to nowhere', () => {
    const pages = (link: string): SourceFile[] => [
      file('docs/a.md', `# A\n[b](${link})`),
      file('docs/b.md', '# B\n## The guard, and its `journal`'),
    ];
    const check = (link: string): Violation[] =>
      checkLinks(pages(link), (name) => name === 'docs/b.md');
    for (const link of ['b.md', 'https://example.org/x', 'b.md#the-guard-and-its-journal']) {
      assert.deepEqual(check(link), [], link);
    }
    for (const link of ['c.md', '../b.md', 'b.md#the-lock'])
      assert.equal(check(link).length, 1, link);
    assert.equal(anchorOf('`POST /v1/faults`'), 'post-v1faults');
  });
});
