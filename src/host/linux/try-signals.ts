import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { reasonOf } from '../../core/base/failure.ts';
import { seeProcess, signalAll, stateOf } from './processes.ts';

/**
 * A process to be stopped, and a shell beside it that ends it as soon as nobody holds the shell's input any
 * more: whoever stopped it may be killed at that moment, and what is stopped never ends by itself.
 */
const HELD = 'sleep 60 & echo "$!"; read -r _; kill -KILL "$!"; wait';

export interface HeldProcess {
  /** Undefined where it could not be started. */
  pid: number | undefined;
  end(): Promise<void>;
}

/** A process of our own that does not outlive us, not even stopped. */
export async function startHeld(): Promise<HeldProcess> {
  const shell = spawn('/bin/sh', ['-c', HELD], { stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = new Promise<void>((resolve) => {
    shell.once('exit', () => resolve());
    shell.once('error', () => resolve());
  });
  // Whether it is there to hear that it may go is nobody's concern.
  shell.stdin.on('error', () => undefined);
  const line = new Promise<string>((resolve) => {
    createInterface({ input: shell.stdout }).once('line', resolve);
  });
  const said = await Promise.race([line, exited]);
  return {
    pid: said === undefined ? undefined : Number(said),
    end() {
      shell.stdin.end();
      return exited;
    },
  };
}

/** Stops and continues a process of our own. */
export async function trySignals(): Promise<{ met: boolean; why: string }> {
  const held = await startHeld();
  try {
    const seen = held.pid === undefined ? undefined : seeProcess(held.pid);
    if (!seen) return { met: false, why: 'a child process could not be started or seen' };
    await signalAll([seen.ref], 'SIGSTOP');
    const stopped = stateOf(seen.ref) === 'T';
    await signalAll([seen.ref], 'SIGCONT');
    return {
      met: stopped,
      why: stopped ? 'a child was stopped through a pidfd' : 'SIGSTOP failed',
    };
  } catch (error) {
    return { met: false, why: reasonOf(error) };
  } finally {
    await held.end();
  }
}
