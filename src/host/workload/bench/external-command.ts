import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ExternalCommandParams } from '../../../core/workloads/bench/external-command.ts';
import type { BenchRun } from './context.ts';

const GRACE_MS = 5_000;
const LINE_MAX = 1024 * 1024;

interface Said {
  status: unknown;
  error: string;
}

/** One line of its standard output: what it says of itself, or a note for people. */
function hear(line: string, said: Said): void {
  if (line.trim() === '') return;
  let told: unknown;
  try {
    told = JSON.parse(line);
  } catch {
    // Not JSON: a program may print what it likes, for people.
    console.error(`stdout: ${line.slice(0, LINE_MAX)}`);
    return;
  }
  if (typeof told !== 'object' || told === null) return;
  const { status, error, log } = told as Record<string, unknown>;
  if (status !== undefined) said.status = status;
  if (typeof error === 'string' && error !== '') said.error = error;
  if (log !== undefined)
    console.error(`log: ${typeof log === 'string' ? log : JSON.stringify(log)}`);
}

/**
 * Runs a program as Trogdor's ExternalCommandSpec describes: one line of JSON with its id and workload on
 * its standard input; lines of JSON with `status`, `error` or `log` from its standard output. No shell.
 * At the end SIGTERM, and SIGKILL after the grace.
 */
export const externalCommand: BenchRun = async (given, context) => {
  const params = given as ExternalCommandParams;
  const [program = '', ...rest] = params.command;
  const said: Said = { status: null, error: '' };
  context.show(() => said.status);
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  const input = { id: context.task, workload: params.workload };
  // A program that has closed its input, or never began, need not be told.
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${JSON.stringify(input)}\n`);
  createInterface({ input: child.stdout }).on('line', (line) => hear(line, said));
  createInterface({ input: child.stderr }).on('line', (line) =>
    console.error(`stderr: ${line.slice(0, LINE_MAX)}`),
  );
  const end = ended(child);
  const stop = (): void => terminate(child, params.shutdownGracePeriodMs ?? GRACE_MS);
  context.signal.addEventListener('abort', stop, { once: true });
  if (context.signal.aborted) stop();
  const how = await end;
  if (said.error !== '') return said.error;
  // Whoever was told to end may end as it likes.
  return context.signal.aborted ? undefined : how;
};

/** When it has ended and all it said was heard. @returns what was wrong with its end. */
function ended(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`the program did not start: ${error.message}`));
    child.on('close', (code, signal) => {
      if (signal !== null) resolve(`the program was ended by ${signal}`);
      else resolve(code === 0 ? undefined : `the program ended with exit status ${code}`);
    });
  });
}

function terminate(child: ChildProcess, graceMs: number): void {
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), graceMs);
  child.on('close', () => clearTimeout(kill));
}
