import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { Act } from '../../core/model/act.ts';
import type { Leftover } from './linux.ts';
import { emptyGroups, groupExists, makeLoadGroups, removeGroups } from './control-groups.ts';
import { ticksPerSecond } from './libc.ts';
import { processesOf, tokensOf } from './marked-processes.ts';
import { ENDED, sendSignal, waitFor, type SeenProcess } from './processes.ts';

const BURNER = join(import.meta.dirname, 'burner.sh');
const SCRIPT = '/src/host/linux/burner.sh';

const burners = (token: string): SeenProcess[] => processesOf(SCRIPT, token);

/** Starts what is missing of the workers with this token; they live on without us. */
export async function startBurner(act: Extract<Act, { act: 'cpu.burn' }>): Promise<void> {
  const numbers = [act.sharePerMille, act.rampMs, act.timeoutMs].map(String);
  const missing = act.workers - burners(act.token).length;
  const groups = missing > 0 ? makeLoadGroups(act.token, act.workers) : [];
  for (let worker = 0; worker < missing; worker++) {
    await startWorker([BURNER, '--token', act.token, ...numbers, ...groups]);
  }
}

async function startWorker(argv: readonly string[]): Promise<void> {
  const child = spawn('/bin/bash', argv, { detached: true, stdio: 'ignore', cwd: '/', env: {} });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      const message = `a CPU burner could not be started: ${reasonOf(cause)}`;
      reject(new Failure('burner-not-started', message, { definite: true, cause }));
    });
  });
  child.unref();
}

/** Renews the workers' own timeouts, by SIGCONT: see burner.sh. */
export function refreshBurner(token: string): void {
  const running = burners(token).filter(({ ref }) => sendSignal(ref, 'SIGCONT'));
  if (running.length > 0) return;
  throw new Failure('expired', `the CPU burner ${token} has ended by itself`, { definite: true });
}

export async function stopBurner(token: string): Promise<void> {
  const running = burners(token).map(({ ref }) => ref);
  for (const ref of running) sendSignal(ref, 'SIGKILL');
  await waitFor(running, (state) => ENDED.includes(state), 'SIGKILL');
  await removeGroups(token);
}

/** Whether at least so many workers with this token run. */
export function burnerRuns(token: string, workers = 1): boolean {
  return burners(token).length >= workers;
}

/** Whether nothing is left of the workers with this token. */
export function burnerIsGone(token: string): boolean {
  return !burnerRuns(token) && !groupExists(token);
}

/** CPU time in ms of all burners with a token, and how many there are. */
export function burnerCpu(token: string): { cpuMs: number; running: number } {
  const running = burners(token);
  const ticks = running.reduce((sum, { stat }) => sum + stat.cpuTicks, 0);
  return { cpuMs: (ticks * 1000) / ticksPerSecond(), running: running.length };
}

export function burnerLeftovers(): Leftover[] {
  return tokensOf(SCRIPT).map((token) => ({
    says: `CPU burner ${token}`,
    remove: { act: 'cpu.burn.stop', token },
  }));
}

/** Control groups that nothing is in any more: of a load or a guard that was killed. */
export function groupLeftovers(): Leftover[] {
  return emptyGroups().map((group) => ({
    says: `empty control group ${group}`,
    remove: { act: 'cgroup.delete', group },
  }));
}
