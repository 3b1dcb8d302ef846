import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { ROOT } from '../support/needs.ts';
import { faultline } from './support.ts';

/** What bash would offer for the last of these words, by the function it was given. */
function inBash(...words: string[]): string[] {
  const script = `
    eval "$(./faultline completion bash)"
    complete -p ./faultline > /dev/null || exit 1
    COMP_WORDS=(./faultline "$@")
    COMP_CWORD=$#
    _faultline
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const argv = ['--norc', '--noprofile', '-c', script, 'bash', ...words];
  const said = execFileSync('bash', argv, { cwd: ROOT, encoding: 'utf8' });
  return said.split('\n').filter((word) => word !== '');
}

describe('completion in bash', () => {
  test('of commands, those below them, flags, and arguments that are known', () => {
    assert.deepEqual(inBash('sched'), ['schedule']);
    assert.deepEqual(inBash('fault', ''), ['create', 'list', 'show', 'heal']);
    assert.deepEqual(inBash('lab', 'up', '--ba'), ['--bare']);
    assert.deepEqual(inBash('completion', 'b'), ['bash']);
  });

  test('of nothing that is known, nothing: bash goes on with files', () => {
    assert.deepEqual(inBash('validate', 'READ'), []);
    assert.deepEqual(inBash('no-such-command', ''), []);
  });

  test('a shell it does not know is named', () => {
    const { code, stderr } = faultline(['completion', 'fish']);
    assert.equal(code, 64);
    assert.match(stderr, /'fish' is none of bash, zsh/);
  });
});
