import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultline, withFiles, type Said } from './support.ts';

const DEMO = 'scenarios/demo.yaml';

function wrong(said: Said, code: number, ...says: RegExp[]): void {
  assert.equal(said.code, code, said.stderr);
  for (const pattern of says) assert.match(said.stderr, pattern);
  assert.doesNotMatch(said.stderr, / at .*\.ts:\d+/, 'a stack trace where a person erred');
}

describe('errors name thing, reason and remedy', () => {
  test('a misspelt command', () => {
    wrong(faultline(['shedule']), 64, /no command 'shedule'/, /schedule/, /--help/);
  });
  test('a misspelt flag, a flag without its value, too many arguments', () => {
    wrong(faultline(['schedule', DEMO, '--sed', '7']), 64, /--sed/, /--help/);
    wrong(faultline(['schedule', DEMO, '--seed']), 64, /seed/);
    wrong(faultline(['schedule', DEMO, 'more']), 64, /Too many arguments/);
    wrong(faultline(['schedule']), 64, /FILE/);
  });
  test('a seed that is none', () => {
    for (const seed of ['x', '-1', '1.5', '18446744073709551616']) {
      wrong(faultline(['schedule', DEMO, `--seed=${seed}`]), 64, /whole number from 0/);
    }
  });
  test('a file that is not there', () => {
    wrong(faultline(['schedule', 'nowhere.yaml']), 66, /'nowhere\.yaml'/, /no such file/);
  });
  test('a duration that is none', () => {
    wrong(faultline(['schedule', DEMO, '--duration', '60']), 64, /'60' is not a duration/, /90s/);
  });
  test('no coordinator', () => {
    for (const command of [['nodes'], ['events'], ['heal'], ['resume'], ['fault', 'list']]) {
      wrong(faultline(command), 64, /no coordinator is named/, /--coordinator URL/);
    }
  });
  test('a coordinator that is no URL', () => {
    wrong(faultline(['nodes', '--coordinator', 'foo']), 64, /'foo' is not the URL/, /as in/);
  });
  test('a coordinator without a token, with a token file that is not there, that does not answer', () => {
    const there = ['nodes', '--coordinator', 'http://127.0.0.1:1'];
    wrong(faultline(there), 77, /no token for/, /--token-file/);
    wrong(faultline([...there, '--token-file', '/nowhere']), 77, /\/nowhere/);
    const said = withFiles({ token: `${'t'.repeat(32)}\n` }, (directory) => {
      const file = `${directory}/token`;
      return [faultline([...there, '--token-file', file]), file] as const;
    });
    // Readable by others: refused before anything is sent.
    wrong(said[0], 77, /can be read by others/);
  });
  test('with --json the error is one object on standard output', () => {
    const said = faultline(['nodes', '--json']);
    assert.equal(said.code, 64);
    const { error } = JSON.parse(said.stdout) as { error: Record<string, unknown> };
    assert.equal(error['exitCode'], 64);
    assert.match(String(error['message']), /no coordinator/);
    assert.match(String(error['remedy']), /--coordinator/);
  });
  test('an unknown unsafe setting, parameters that are no JSON', () => {
    wrong(faultline(['demo', '--unsafe', 'acks=2']), 64, /acks=2/, /acks=1/);
    wrong(faultline(['fault', 'create', 'noop', '--params', '{']), 64, /not a JSON object/);
    wrong(faultline(['fault', 'create']), 64, /no fault kind/, /faultline kinds/);
  });
});
