import { spawn } from 'node:child_process';
import { Failure } from '../../core/base/failure.ts';

const STDERR_TAIL_BYTES = 4096;

export interface CommandOptions {
  /** Written to its standard input. */
  input?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
  /** Called for each piece of its standard error; without it only the last lines are kept. */
  onStderr?: (text: string) => void;
}

/**
 * Runs one program to its end.
 * @returns its standard output.
 * @throws Failure 'command-failed' with argv, exit code or signal and the last lines of stderr.
 */
export function command(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: options.env ?? process.env,
      timeout: options.timeoutMs ?? 60_000,
    });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (piece: Buffer) => stdout.push(piece));
    child.stderr.on('data', (piece: Buffer) => {
      const text = piece.toString();
      stderr = (stderr + text).slice(-STDERR_TAIL_BYTES);
      options.onStderr?.(text);
    });
    // The program may end without reading: its exit status says what that meant.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      reject(
        new Failure(
          missing ? 'program-missing' : 'command-failed',
          missing ? `${program} is not installed` : `${program}: ${error.message}`,
          { definite: missing, cause: error, context: { argv } },
        ),
      );
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(stdout).toString());
      const ended = signal === null ? `exit ${code}` : signal;
      const why = stderr.trim() === '' ? '' : `: ${stderr.trim()}`;
      reject(
        new Failure('command-failed', `${argv.join(' ')} (${ended})${why}`, {
          definite: false,
          context: { argv, code, signal, stderr },
        }),
      );
    });
  });
}
