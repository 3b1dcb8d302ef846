import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { BENCH_ENVIRONMENT, BENCH_FLAGS } from '../../src/host/workload/bench-process.ts';
import { ROOT } from '../../test/support/needs.ts';
import { memoryOf, type Memory } from './pages.ts';

/** Long enough for a process that only loads something. */
const SETTLES_MS = 3_000;

const IDLE = 'setInterval(() => {}, 1e6);';
const LIBRARY = `await import('@platformatic/kafka'); ${IDLE}`;
/** What an agent and a load of its own cannot be under: they do nothing. */
const PROGRAMS = {
  'node, idle': [IDLE],
  'node, Kafka library loaded': [LIBRARY],
  'two of node, idle': [IDLE, IDLE],
  'two of node, one with the library': [IDLE, LIBRARY],
} as const;

export type Floor = { program: keyof typeof PROGRAMS } & Memory;

/** Processes that do nothing, started as that of a load is. */
export async function floors(): Promise<Floor[]> {
  const found: Floor[] = [];
  const env = { ...BENCH_ENVIRONMENT, ...process.env };
  const options = { cwd: ROOT, env, stdio: 'ignore' } as const;
  for (const program of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]) {
    const idle = PROGRAMS[program].map((script) =>
      spawn(process.execPath, [...BENCH_FLAGS, '--input-type=module', '-e', script], options),
    );
    await sleep(SETTLES_MS);
    found.push({ program, ...memoryOf(idle.map(({ pid = 0 }) => pid)) });
    for (const one of idle) one.kill('SIGKILL');
  }
  return found;
}
