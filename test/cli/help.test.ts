import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { COMMANDS, loadCommand, type Target } from '../../src/cli/commands.ts';
import { VERSION } from '../../src/host/version.ts';
import { faultline } from './support.ts';

/** Every command and route map below a target, with the words that call it. */
function* targetsOf(words: string[], target: Target): Generator<[string[], Target]> {
  yield [words, target];
  if (!('getAllEntries' in target)) return;
  for (const entry of target.getAllEntries()) {
    yield* targetsOf([...words, entry.name['convert-camel-to-kebab']], entry.target);
  }
}

describe('help', () => {
  test('names every command, and teaches by examples', () => {
    const { code, stdout } = faultline(['--help']);
    assert.equal(code, 0);
    for (const name of Object.keys(COMMANDS)) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    assert.match(stdout, /EXAMPLES\n {2}# /);
  });

  for (const [name, entry] of Object.entries(COMMANDS)) {
    test(`${name} and all below it have a brief, examples that call them, and --json`, async () => {
      for (const [words, target] of targetsOf([name], await loadCommand(name, entry))) {
        const called = words.join(' ');
        assert.ok(target.brief.length > 10, called);
        if ('getAllEntries' in target) continue;
        const text = target.fullDescription ?? '';
        assert.match(text, /EXAMPLES\n {2}# .+\n {2}faultline /, called);
        assert.match(text, new RegExp(`^ {2}faultline ${called}`, 'm'), called);
        if (['agent', 'completion', 'coordinator', 'lab logs', 'lab shell'].includes(called))
          continue;
        assert.ok(target.usesFlag('json', 'allow-kebab-for-camel'), `${called} has no --json`);
      }
    });
  }

  test('the help of every command comes out of the real command line', () => {
    for (const name of Object.keys(COMMANDS)) {
      const { code, stdout, stderr } = faultline([name, '--help']);
      assert.equal(code, 0, `${name}: ${stderr}`);
      assert.match(stdout, /^USAGE/, name);
      assert.ok(!stdout.includes('\u001b'), `${name}: colours without a terminal`);
    }
  });

  test('--version is that of the package', () => {
    assert.equal(faultline(['--version']).stdout.trim(), VERSION);
  });
});
