import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure, reasonOf } from '../core/base/failure.ts';
import { birthTicks } from './boot-clock.ts';
import { makePipe } from './libc.ts';
import { makeGuardGroups } from './linux/control-groups.ts';

const SCRIPT = join(import.meta.dirname, 'guard.sh');
const HEALER = join(import.meta.dirname, '..', 'bin', 'healer.ts');
const RESPAWN_MS = 200;
const KEPT = [
  'PATH',
  'LANG',
  'FAULTLINE_NODE_FLAGS',
  'NODE_COMPILE_CACHE',
  'NODE_COMPILE_CACHE_PORTABLE',
];

/** The agent's side of the guard: starts it, tells it what is due, and starts it again if it dies. */
export class Guard {
  readonly #stateDirectory: string;
  readonly #onRestart: () => void;
  #child: ChildProcess | undefined;
  #pipe: number | undefined;
  #ended = false;

  /** @param onRestart a new guard knows nothing yet: tell it what is due. */
  constructor(stateDirectory: string, onRestart: () => void) {
    this.#stateDirectory = resolve(stateDirectory);
    this.#onRestart = onRestart;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the guard in a session and, where they can be made, in control groups of its own. @throws Failure 'guard' */
  start(): void {
    const [readEnd, writeEnd] = makePipe();
    const log = openLog(this.#stateDirectory);
    try {
      const heal = [process.execPath, '--disable-warning=ExperimentalWarning', HEALER];
      const who = [String(process.pid), String(birthTicks(process.pid) ?? 0)];
      const child = spawn('/bin/bash', [SCRIPT, this.#stateDirectory, ...who, ...heal], {
        detached: true,
        stdio: ['ignore', log, log, readEnd],
        cwd: '/',
        env: {
          ...guardEnvironment(),
          GUARD_GROUPS: makeGuardGroups(this.#stateDirectory).join('\n'),
        },
      });
      child.on('error', (error) => this.#died(child, reasonOf(error)));
      child.on('exit', () => this.#died(child, 'it ended'));
      child.unref();
      if (child.pid === undefined)
        throw new Failure('guard', 'the guard cannot be started: /bin/bash is needed', {
          definite: true,
        });
      this.#child = child;
      // A second description of the pipe's end that never blocks: a stopped guard must not stop us.
      this.#pipe = openSync(`/proc/self/fd/${writeEnd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    } finally {
      for (const fd of [readEnd, writeEnd, log]) closeSync(fd);
    }
  }

  /** Done when it returns: the line is in the pipe. */
  beat(dueMs: number | undefined): void {
    this.#write(`due ${dueMs === undefined ? 'none' : Math.ceil(dueMs)}\n`);
  }

  /** The agent ends and leaves nothing behind. */
  end(): void {
    this.#ended = true;
    this.#write('quit\n');
    this.#closePipe();
  }

  #write(line: string): void {
    if (this.#pipe === undefined) return;
    try {
      writeSync(this.#pipe, line);
    } catch {
      // Dead (EPIPE: its exit is reported, and another is started) or stopped with 64 KiB unread: a
      // guard that reads nothing guards nothing, so it is replaced too.
      this.#child?.kill('SIGKILL');
    }
  }

  #closePipe(): void {
    if (this.#pipe !== undefined) closeSync(this.#pipe);
    this.#pipe = undefined;
  }

  #died(child: ChildProcess, _why: string): void {
    if (child !== this.#child || this.#ended) return;
    this.#child = undefined;
    this.#closePipe();
    const again = (): void => {
      if (this.#ended) return;
      try {
        this.start();
        this.#onRestart();
      } catch {
        // No process can be started just now (memory, pids): the next try may succeed.
        setTimeout(again, RESPAWN_MS * 5);
      }
    };
    setTimeout(again, RESPAWN_MS);
  }
}

/** Where the guard and the healers it starts write; nowhere, on a disk with no room for a file. */
function openLog(stateDirectory: string): number {
  try {
    return openSync(join(stateDirectory, 'guard.log'), 'a', 0o600);
  } catch {
    // Healing matters more than what is said of it.
    return openSync('/dev/null', 'w');
  }
}

/** Nothing of the agent's environment but what the healer runs with. */
function guardEnvironment(): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {};
  for (const name of KEPT) if (process.env[name] !== undefined) kept[name] = process.env[name];
  return kept;
}
