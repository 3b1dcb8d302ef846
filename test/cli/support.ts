import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

export interface Said {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command line as a person does, in a process of its own, with no lab to be found. */
export function faultline(argv: readonly string[], options: { input?: string } = {}): Said {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/bin/faultline.ts'), ...argv],
    {
      encoding: 'utf8',
      cwd: ROOT,
      input: options.input ?? '',
      env: { PATH: process.env['PATH'], FAULTLINE_LAB_DIR: join(tmpdir(), 'no-labs-here') },
    },
  );
  return { code: status, stdout, stderr };
}

/** A directory for the time of a test, with these files in it. */
export function withFiles<T>(files: Record<string, string>, work: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-cli-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
