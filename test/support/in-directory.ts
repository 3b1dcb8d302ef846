import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a test with a throwaway directory of its own. */
export async function inDirectory(use: (directory: string) => Promise<void> | void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-test-'));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
