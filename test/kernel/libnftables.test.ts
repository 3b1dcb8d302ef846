import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { lacks, ROOT } from '../support/needs.ts';

const RUNS = 3000;
/** In a network namespace of its own: changes and listings while signals come as fast as they can. */
const SCRIPT = `
import { spawn } from 'node:child_process';
import { openLibNftables } from '${ROOT}/src/host/linux/libnftables.ts';
const nft = openLibNftables();
const flood = spawn('sh', ['-c', 'while kill -CHLD $PPID; do :; done'], { stdio: 'ignore' });
const errors = [];
for (let run = 0; run < ${RUNS}; run++) {
  const command = ['add table inet t', 'list ruleset', 'delete table inet t'][run % 3];
  const { ok, error } = nft.run(command, false);
  if (!ok) errors.push(error);
}
flood.kill('SIGKILL');
console.log(JSON.stringify(errors.slice(0, 3)));
`;

test(
  'signals do not make an error of what the kernel has done',
  { skip: lacks('root', 'nft', 'namespaces') },
  async () => {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module'];
    const argv = ['--net', ...node, '-e', SCRIPT];
    const { stdout } = await promisify(execFile)('unshare', argv, { timeout: 120_000 });
    assert.deepEqual(JSON.parse(stdout), []);
  },
);
