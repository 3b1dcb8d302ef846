import { existsSync } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const fileIn = (stateDirectory: string): string => join(stateDirectory, 'closed');

/** Whether everything was healed here and nobody has allowed new faults since: POST /v1/heal, /v1/resume. */
export function isClosed(stateDirectory: string): boolean {
  return existsSync(fileIn(stateDirectory));
}

/** Remembers it over a restart: on disk when it resolves. @throws what the file system says. */
export async function keepClosed(stateDirectory: string, closed: boolean): Promise<void> {
  if (closed) await writeFile(fileIn(stateDirectory), '', { mode: 0o600 });
  else await rm(fileIn(stateDirectory), { force: true });
  const directory = await open(stateDirectory, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
