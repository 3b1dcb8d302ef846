import { run, type StricliProcess } from '@stricli/core';
import { buildApp } from './app.ts';
import { describeThrown, exitCodeOf, thrownAsJson } from './cli-error.ts';
import { COMMANDS } from './commands.ts';
import type { CliContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { VERSION } from '../host/version.ts';

/** Asked by the shell's completion (completion.ts), and in no help. */
const COMPLETE = '__complete';

/** Stricli's own codes are negative: all of them mean a wrong command line, or a bug. */
function ownExitCode(code: unknown): number {
  if (typeof code !== 'number' || code === 0) return EXIT.ok;
  if (code === -4 || code === -5) return EXIT.usage;
  return code < 0 ? EXIT.bug : code;
}

/** Ctrl-C once asks to end; twice ends at once, whatever is left. */
function interrupts(process: NodeJS.Process): () => AbortSignal {
  let controller: AbortController | undefined;
  return () => {
    if (controller !== undefined) return controller.signal;
    const mine = (controller = new AbortController());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (mine.signal.aborted && signal === 'SIGINT') process.exit(EXIT.interrupted);
        mine.abort(new Error(`interrupted by ${signal}`));
      });
    }
    return mine.signal;
  };
}

/** Ends quietly when the reader of a pipe has gone (`faultline events | head -1`). */
function quietPipe(process: NodeJS.Process): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
}

/**
 * The command line: parses, loads the one command that was called, runs it.
 * @returns the exit code.
 */
export async function main(inputs: readonly string[], process: NodeJS.Process): Promise<number> {
  quietPipe(process);
  const json = inputs.includes('--json');
  const onThrown = (thrown: unknown): string => {
    if (json) process.stdout.write(`${JSON.stringify(thrownAsJson(thrown))}\n`);
    return describeThrown(thrown);
  };
  const called = inputs[0];
  const known = called !== undefined && Object.hasOwn(COMMANDS, called) ? called : undefined;
  const context: CliContext = {
    process: process,
    catchInterrupt: interrupts(process),
  };
  try {
    if (called === COMPLETE) {
      const { completionsOf } = await import('./complete.ts');
      for (const word of await completionsOf(inputs.slice(1), VERSION, context)) {
        process.stdout.write(`${word}\n`);
      }
      return EXIT.ok;
    }
    const app = await buildApp(known, VERSION, onThrown);
    await run(app, inputs, {
      ...context,
      process: process as unknown as StricliProcess & CliContext['process'],
    });
  } catch (error) {
    process.stderr.write(`${onThrown(error)}\n`);
    return exitCodeOf(error);
  }
  return ownExitCode(process.exitCode);
}
