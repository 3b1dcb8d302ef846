import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pythonModules } from '../../tools/python-client.ts';
import { lacks, ROOT, VENV } from '../support/needs.ts';
import { PACKAGE, pythons } from '../support/python.ts';

function run(program: string, args: readonly string[], cwd: string, env = {}): string {
  const result = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
  });
  const said = `${result.stdout}${result.stderr}`;
  assert.equal(result.status, 0, `${program} ${args.join(' ')}:\n${said}`);
  return said;
}

test('the generated half of the Python package is fresh', () => {
  for (const [path, text] of pythonModules()) {
    const written = readFileSync(join(ROOT, path), 'utf8');
    assert.ok(written === text, `${path} is stale; run node tools/docs.ts`);
  }
});

describe('the Python package', { skip: lacks('python') }, () => {
  for (const [version, python] of pythons()) {
    test(`passes its tests on Python ${version}, with the standard library alone`, () => {
      const env = { PYTHONPATH: join(PACKAGE, 'src') };
      const args = ['-W', 'error::DeprecationWarning', '-m', 'unittest', '-b'];
      const said = run(python, args, join(PACKAGE, 'tests'), env);
      assert.match(said, /Ran [1-9]\d* tests[^]*\nOK/);
    });
  }
});

describe('the Python package as a wheel', { skip: lacks('python-venv') }, () => {
  const bin = (program: string): string => join(VENV, 'bin', program);

  test('holds everything: its types hold, and pytest finds its fixtures', () => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-wheel-'));
    try {
      const source = join(directory, 'source');
      cpSync(PACKAGE, source, { recursive: true });
      const offline = ['--no-deps', '--no-index', '--no-build-isolation'];
      run(bin('pip'), ['wheel', ...offline, '-w', directory, source], directory);
      const name = 'faultline-0.1.0-py3-none-any.whl';
      const target = join(directory, 'installed');
      const install = ['install', '--no-deps', '--no-index', '--target', target];
      run(bin('pip'), [...install, join(directory, name)], directory);
      const say = 'import faultline, faultline.ducktape, faultline.pytest_plugin as p; print(p)';
      const said = run(bin('python'), ['-c', say], directory, { PYTHONPATH: target });
      assert.ok(said.includes(target), said);
      const strict = ['--strict', '--python-version', '3.10', '--ignore-missing-imports'];
      const cache = ['--cache-dir', join(directory, 'mypy')];
      const args = [
        '-m',
        'pytest',
        '-q',
        '-p',
        'no:cacheprovider',
        join(PACKAGE, 'tests', 'plugin'),
      ];
      run(bin('python'), args, directory, { PYTHONPATH: target });
      run(bin('mypy'), [...strict, ...cache, join(target, 'faultline')], directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
