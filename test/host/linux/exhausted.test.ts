import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lacks, ROOT } from '../../support/needs.ts';

/** Opens all but one of its descriptors, and then sends a signal that is owed. */
const SCRIPT = `
import { closeSync, openSync } from 'node:fs';
import { seeProcess, sendSignal } from '${ROOT}/src/host/linux/processes.ts';
const { ref } = seeProcess(Number(process.argv[2]));
let last;
try {
  for (;;) last = openSync('/dev/null', 'r');
} catch {
  // That was the last one.
}
closeSync(last);
let said;
try { said = 'sent: ' + sendSignal(ref, 'SIGCONT'); } catch (error) { said = error.code; }
closeSync(last - 1);
closeSync(last - 2);
process.stdout.write(said);
`;

test(
  'where nothing can be opened, no process is taken for gone',
  {
    skip: lacks('linux'),
  },
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-exhausted-'));
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    try {
      const script = join(directory, 'script.mjs');
      writeFileSync(script, SCRIPT);
      const argv = ['--nofile=96:96', process.execPath, script, String(child.pid)];
      const { stdout, stderr } = spawnSync('prlimit', argv, { encoding: 'utf8' });
      assert.equal(stdout, 'exhausted', stderr);
    } finally {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    }
  },
);
