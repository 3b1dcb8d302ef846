import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { Ending } from '../../core/model/act.ts';
import type { Service } from '../../core/model/agent-config.ts';
import type { ProcessMatch } from '../../core/model/process-match.ts';
import { exec } from '../exec.ts';
import { leaveGuardGroups } from './control-groups.ts';
import type { EndingNotes } from './ending-notes.ts';
import { beKilledAsOthersAre } from './oom-score.ts';
import { findProcesses, signalAll, type SeenProcess } from './processes.ts';

/** A JVM shows its arguments at once; what starts it (a unit, an init) may take its time. */
const START_WAIT_MS = 15_000;
/** A start that brought nothing is asked for again after so long. */
const AGAIN_MS = 1_000;

/** The services of the agent's configuration. */
export class Services {
  readonly #services: Readonly<Record<string, Service>>;
  readonly #notes: EndingNotes;

  constructor(services: Readonly<Record<string, Service>>, notes: EndingNotes) {
    this.#services = services;
    this.#notes = notes;
  }

  named(name: string): Service | undefined {
    return Object.hasOwn(this.#services, name) ? this.#services[name] : undefined;
  }

  /** All that a match describes, a service's own conditions and its further ones together. */
  find(match: ProcessMatch): SeenProcess[] {
    if (match.service === undefined) return findProcesses(match);
    const service = this.named(match.service);
    if (!service) return [];
    const { service: _, expect: __, ...further } = match;
    const found = this.running(service);
    if (Object.keys(further).length === 0) return found;
    const also = new Set(findProcesses(further).map((seen) => seen.ref.pid));
    return found.filter((seen) => also.has(seen.ref.pid));
  }

  /** What a service's own match finds; a match by another service's name finds nothing. */
  running(service: Service): SeenProcess[] {
    if (service.match.service !== undefined) return [];
    return findProcesses(service.match);
  }

  /** Performs 'service.start': returns when the service runs, and not by what was told to end. */
  async start(name: string, ending?: Ending): Promise<void> {
    // Not waited for: a fault heals at its deadline, or its guard takes the agent for dead.
    if (ending && this.#notes.found(ending.note)) await signalAll(ending.processes, 'SIGKILL');
    await this.#start(name);
    if (ending) this.#notes.remove(ending.note);
  }

  async #start(name: string): Promise<void> {
    const service = this.named(name);
    if (!service?.start) {
      const message = `the agent's configuration does not say how to start service '${name}'`;
      throw new Failure('service-not-startable', message, { definite: true });
    }
    if (this.running(service).length > 0) return;
    let command = startBy(service.start);
    for (let waited = 0, asked = 0; waited < START_WAIT_MS; waited += 20) {
      const isOver = await command.isOver();
      if (this.running(service).length > 0) return;
      // Whoever starts it may not have noticed yet that it had ended, and then has done nothing.
      if (isOver && waited - asked >= AGAIN_MS) {
        command = startBy(service.start);
        asked = waited;
      }
      await sleep(20);
    }
    throw new Failure('service-not-started', `service '${name}' does not run after its start`, {
      definite: false,
    });
  }
}

interface StartCommand {
  /** Whether it has done what it does. @throws Failure once it is known to have failed. */
  isOver(): Promise<boolean>;
}

function startBy(start: NonNullable<Service['start']>): StartCommand {
  return 'argv' in start ? startDetached(start.argv) : startUnit(start.systemdUnit);
}

function startUnit(unit: string): StartCommand {
  const done = exec(['systemctl', 'start', '--no-block', unit]);
  // Its error is for isOver(); until that is called nobody else must be told.
  done.catch(() => {});
  return { isOver: async () => (await done, true) };
}

/** In a session of its own, deaf and mute, with no more of our environment than a path. */
function startDetached(argv: readonly string[]): StartCommand {
  const [program = '', ...rest] = argv;
  let failure: Failure | undefined;
  let isOver = false;
  const child = spawn(program, rest, {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: {
      PATH: process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: process.env['HOME'] ?? '/root',
      LANG: 'C.UTF-8',
    },
  });
  child.once('error', (cause) => {
    const message = `${program} could not be started: ${reasonOf(cause)}`;
    failure = new Failure('service-not-started', message, { definite: true, cause });
  });
  child.once('exit', (code, signal) => {
    isOver = true;
    if (code === 0) return;
    const message = `${program} ended with ${signal ?? code}`;
    failure ??= new Failure('service-not-started', message, { definite: false });
  });
  child.unref();
  if (child.pid !== undefined) {
    leaveGuardGroups(child.pid);
    beKilledAsOthersAre(child.pid);
  }
  return {
    async isOver() {
      if (failure) throw failure;
      return isOver;
    },
  };
}
