import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { Act } from '../../core/model/act.ts';
import type { Leftover } from './linux.ts';
import { ticksPerSecond } from './libc.ts';
import { seeProcesses, sendSignal, waitFor, type SeenProcess } from './processes.ts';

const BURNER = fileURLToPath(new URL('../../bin/burner.ts', import.meta.url));
const TOKEN = /^faultline-[0-9a-z]{1,32}$/;

/** The token in a burner's arguments; undefined where the process is no burner. */
function tokenOf(argv: readonly string[]): string | undefined {
  if (!argv.some((part) => part.endsWith('/src/bin/burner.ts'))) return undefined;
  const token = argv[argv.indexOf('--token') + 1] ?? '';
  return TOKEN.test(token) ? token : undefined;
}

function burners(token: string): SeenProcess[] {
  return seeProcesses().filter((seen) => tokenOf(seen.argv) === token);
}

/** Starts a burner that lives on without us, unless one with this token runs. */
export async function startBurner(act: Extract<Act, { act: 'cpu.burn' }>): Promise<void> {
  if (burners(act.token).length > 0) return;
  const numbers = [act.workers, act.sharePerMille, act.rampMs, act.timeoutMs].map(String);
  const argv = ['--disable-warning=ExperimentalWarning', BURNER, '--token', act.token, ...numbers];
  const child = spawn(process.execPath, argv, {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      const message = `the CPU burner could not be started: ${reasonOf(cause)}`;
      reject(new Failure('burner-not-started', message, { definite: true, cause }));
    });
  });
  child.unref();
}

/** Renews a burner's own timeout. SIGCONT, because a burner that is still starting survives it. */
export function refreshBurner(token: string): void {
  const running = burners(token).filter(({ ref }) => sendSignal(ref, 'SIGCONT'));
  if (running.length > 0) return;
  throw new Failure('expired', `the CPU burner ${token} has ended by itself`, { definite: true });
}

export async function stopBurner(token: string): Promise<void> {
  const running = burners(token).map(({ ref }) => ref);
  for (const ref of running) sendSignal(ref, 'SIGKILL');
  await waitFor(running, (state) => ['gone', 'Z', 'X'].includes(state), 'SIGKILL');
}

export function burnerRuns(token: string): boolean {
  return burners(token).length > 0;
}

/** CPU time in ms of all burners with a token, and how many there are. */
export function burnerCpu(token: string): { cpuMs: number; running: number } {
  const running = burners(token);
  const ticks = running.reduce((sum, { stat }) => sum + stat.cpuTicks, 0);
  return { cpuMs: (ticks * 1000) / ticksPerSecond(), running: running.length };
}

export function burnerLeftovers(): Leftover[] {
  const tokens = new Set(seeProcesses().flatMap(({ argv }) => tokenOf(argv) ?? []));
  return [...tokens].map((token) => ({
    says: `CPU burner ${token}`,
    remove: { act: 'cpu.burn.stop', token },
  }));
}
