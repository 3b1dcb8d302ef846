import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Failure } from '../../src/core/base/failure.ts';
import { exec } from '../../src/host/exec.ts';

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Failure, String(error));
  return error;
}

suite('exec', () => {
  test('both streams, nothing on standard input', async () => {
    const script = 'process.stdin.pipe(process.stdout); console.log("out"); console.error("err")';
    const result = await exec([process.execPath, '-e', script]);
    assert.deepEqual(result, { stdout: 'out\n', stderr: 'err\n' });
  });

  test('no shell reads the arguments', async () => {
    const { stdout } = await exec(['printf', '%s', '$(id); *']);
    assert.equal(stdout, '$(id); *');
  });

  test('one shape of failure: argv, code, last lines', async () => {
    const script = 'for (let i = 0; i < 30; i++) console.error(`line ${i}`); process.exitCode = 3';
    const argv = [process.execPath, '-e', script];
    const failure = await failureOf(exec(argv));
    assert.equal(failure.code, 'exited');
    assert.equal(failure.definite, false);
    assert.deepEqual(failure.context['argv'], argv);
    assert.equal(failure.context['code'], 3);
    assert.equal(String(failure.context['stderr']).split('\n').length, 10);
    assert.match(failure.message, /ended with 3: line 20/);
  });

  test('a program that is not there certainly did nothing', async () => {
    const failure = await failureOf(exec(['/nowhere/at-all']));
    assert.equal(failure.code, 'not-started');
    assert.equal(failure.definite, true);
  });

  test('too slow: killed, and said so', async () => {
    const failure = await failureOf(exec(['sleep', '60'], { timeoutMs: 50 }));
    assert.equal(failure.code, 'timed-out');
    assert.equal(failure.context['signal'], 'SIGKILL');
  });

  test('what it has started and left behind keeps nobody waiting', async () => {
    const script = `const { spawn } = require('node:child_process');
      const left = spawn('sleep', ['600'], { detached: true, stdio: 'inherit' });
      console.error(left.pid); left.unref();`;
    const failure = await failureOf(exec([process.execPath, '-e', script], { timeoutMs: 2_000 }));
    process.kill(Number(failure.context['stderr']), 'SIGKILL');
    assert.equal(failure.code, 'timed-out');
    assert.equal(failure.context['timedOut'], true);
  });

  test('more output than wanted is read to its end and dropped', async () => {
    const script = 'process.stdout.write("x".repeat(300_000))';
    const { stdout } = await exec([process.execPath, '-e', script], { outputMax: 1_000 });
    assert.equal(stdout.length, 1_000);
  });
});
