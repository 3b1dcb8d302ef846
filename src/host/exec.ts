import { spawn } from 'node:child_process';
import { Failure, reasonOf } from '../core/base/failure.ts';

export interface ExecOptions {
  /** SIGKILL after this long; default 10 s. */
  timeoutMs?: number;
  /** Bytes kept of each stream; default 1 MiB. More is read and dropped. */
  outputMax?: number;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** A descriptor to read as standard input; default: nothing. */
  input?: number;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
}

/** A process that was killed ends at once, as a rule. */
const KILLED_WITHIN_MS = 1_000;

/** Keeps the first bytes of a stream. */
function capped(max: number): { take(chunk: Buffer): void; text(): string } {
  const kept: Buffer[] = [];
  let size = 0;
  return {
    take(chunk) {
      if (size < max) kept.push(chunk.subarray(0, max - size));
      size += chunk.length;
    },
    text: () => Buffer.concat(kept).toString('utf8'),
  };
}

/**
 * Runs a program to its end, or until its time is up. Never through a shell.
 * @throws Failure: 'not-started' (definite), 'timed-out' (not definite) or 'exited' (not definite),
 *   with argv, code, signal and the last lines of standard error in its context.
 */
export function exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const [program = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    const out = capped(options.outputMax ?? 1_048_576);
    const err = capped(options.outputMax ?? 1_048_576);
    let timedOut = false;
    const child = spawn(program, rest, {
      stdio: [options.input ?? 'ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: options.env,
    });
    let timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
      // What it has started may hold these open for good.
      child.stdout?.destroy();
      child.stderr?.destroy();
      // A kill waits for a disk that hangs; whoever waits for us does not.
      timer = setTimeout(() => ended(null, null), KILLED_WITHIN_MS);
    }, timeoutMs);
    const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      if (code === 0 && !timedOut) return resolve({ stdout: out.text(), stderr: err.text() });
      const lastLines = err.text().trim().split('\n').slice(-10).join('\n');
      const how = timedOut ? `took longer than ${timeoutMs} ms` : `ended with ${signal ?? code}`;
      const message = `${program} ${how}${lastLines === '' ? '' : `: ${lastLines}`}`;
      const context = { argv, code, signal, timedOut, stderr: lastLines };
      reject(new Failure(timedOut ? 'timed-out' : 'exited', message, { definite: false, context }));
    };
    child.stdout?.on('data', out.take);
    child.stderr?.on('data', err.take);
    child.once('error', (cause) => {
      clearTimeout(timer);
      const message = `${program} could not be started: ${reasonOf(cause)}`;
      reject(new Failure('not-started', message, { definite: true, cause, context: { argv } }));
    });
    child.once('close', ended);
  });
}
