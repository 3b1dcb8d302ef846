import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { seeProcess } from '../../../src/host/linux/processes.ts';
import { trySignals } from '../../../src/host/linux/try-signals.ts';
import { lacks, ROOT } from '../../support/needs.ts';
import { until } from '../../support/until.ts';

const skip = lacks('linux');

/** Stops what it holds, says its pid, and is never heard of again. */
const STOPS = `
import { startHeld } from '${ROOT}/src/host/linux/try-signals.ts';
const { pid } = await startHeld();
process.kill(pid, 'SIGSTOP');
console.log(pid);
setInterval(() => undefined, 1000);
`;

test('a process is stopped, and goes on', { skip }, async () => {
  assert.deepEqual(await trySignals(), { met: true, why: 'a child was stopped through a pidfd' });
});

test('what is stopped ends with whoever stopped it, however that ends', { skip }, async () => {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module'];
  const child = spawn(process.execPath, [...flags, '-e', STOPS]);
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    await until('it is stopped', () => seeProcess(pid)?.stat.state === 'T');
    child.kill('SIGKILL');
    await until('it has ended', () => seeProcess(pid) === undefined);
  } finally {
    child.kill('SIGKILL');
  }
});
