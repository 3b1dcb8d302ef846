import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exec } from '../../../src/host/exec.ts';
import { withCommands } from '../../../src/host/linux/command-file.ts';

test('commands are read whole, from the beginning, out of a file that no directory shows', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-commands-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const commands = 'add rule inet ä\n'.repeat(100_000);
  await withCommands(directory, commands, async (input) => {
    assert.deepEqual(readdirSync(directory), [], 'what dies here leaves nothing');
    const outputMax = 4 * 1024 * 1024;
    assert.equal((await exec(['cat'], { input, outputMax })).stdout, commands);
    // As nft reads it: by the name of its standard input.
    assert.equal((await exec(['cat', '/dev/stdin'], { input, outputMax })).stdout, commands);
  });
});
