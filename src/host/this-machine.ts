import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sameJson } from '../core/base/canonical-json.ts';
import { DEFAULT_SERVICES, type Service } from '../core/model/agent-config.ts';
import { RealLinux } from './linux/real-linux.ts';
import { sweepScratch } from './scratch.ts';

const RUN = '/run/faultline';
const SERVICES = 'services.json';

type Services = Readonly<Record<string, Service>>;

/** Keeps the services of the agent's configuration for those who heal without it. */
export function keepServices(stateDirectory: string, services: Services): void {
  if (sameJson(keptServices(stateDirectory), services)) return;
  try {
    // Whole or not at all: by half a file nobody knows how to start what a fault has ended.
    const next = join(stateDirectory, `${SERVICES}.new`);
    writeFileSync(next, JSON.stringify(services), { mode: 0o600, flush: true });
    renameSync(next, join(stateDirectory, SERVICES));
  } catch {
    // A full disk must not keep an agent from starting, and healing what an earlier one left.
  }
}

/** The services that the agent of a state directory last ran with. */
export function keptServices(stateDirectory: string): Services {
  try {
    return JSON.parse(readFileSync(join(stateDirectory, SERVICES), 'utf8')) as Services;
  } catch {
    // No agent ever ran here, or its disk was full: what every node has.
    return DEFAULT_SERVICES;
  }
}

/**
 * The hands on this machine. Small files that live for a moment go to a tmpfs, where there is one.
 * @param services of the agent's configuration; undefined: those its agent last ran with.
 */
export function thisMachine(services: Services | undefined, stateDirectory: string): RealLinux {
  const scratchDir = scratchIn(stateDirectory);
  sweepScratch(scratchDir);
  return new RealLinux({
    services: services ?? keptServices(stateDirectory),
    scratchDir,
    stateDirectory,
  });
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
