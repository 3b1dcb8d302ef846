import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Service } from '../core/model/agent-config.ts';
import { RealLinux } from './linux/real-linux.ts';

const RUN = '/run/faultline';

/** The hands on this machine. Small files that live for a moment go to a tmpfs, where there is one. */
export function thisMachine(
  services: Readonly<Record<string, Service>>,
  stateDirectory: string,
): RealLinux {
  return new RealLinux({ services, scratchDir: scratchIn(stateDirectory) });
}

function scratchIn(stateDirectory: string): string {
  for (const directory of [RUN, join(stateDirectory, 'scratch')]) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      accessSync(directory, constants.W_OK);
      return directory;
    } catch {
      // No /run here, or not ours: the state directory is.
    }
  }
  return stateDirectory;
}
