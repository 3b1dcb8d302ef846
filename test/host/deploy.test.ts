import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { lacks, ROOT } from '../support/needs.ts';

const UNITS = join(ROOT, 'deploy', 'systemd');
const units = readdirSync(UNITS);

/** The command line of a unit, its continued lines put together. */
function commandOf(unit: string): string[] {
  const text = readFileSync(join(UNITS, unit), 'utf8').replaceAll('\\\n', ' ');
  const [, line = ''] = /^ExecStart=(.*)$/m.exec(text) ?? [];
  return line.split(/\s+/);
}

describe('units for systemd', () => {
  for (const unit of units) {
    test(`${unit} calls a command by flags that it has`, () => {
      const [program, command = '', ...words] = commandOf(unit);
      assert.equal(program, '/opt/faultline/faultline');
      const help = spawnSync(join(ROOT, 'faultline'), [command, '--help'], { encoding: 'utf8' });
      const flags = words.filter((word) => word.startsWith('--'));
      assert.ok(flags.length > 0);
      for (const flag of flags) assert.match(help.stdout, new RegExp(` \\[?${flag}[\\] ]`), flag);
    });
  }

  test('systemd finds nothing wrong', { skip: lacks('systemd-analyze') }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-units-'));
    try {
      cpSync(UNITS, directory, { recursive: true });
      const files = units.map((unit) => join(directory, unit));
      for (const file of files) {
        // It wants the program to be there.
        const text = readFileSync(file, 'utf8').replaceAll('/opt/faultline/faultline', '/bin/true');
        writeFileSync(file, text);
      }
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...files], {
        encoding: 'utf8',
      });
      assert.deepEqual([status, `${stdout}${stderr}`], [0, '']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
