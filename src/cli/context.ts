import type { CommandContext } from '@stricli/core';
import { EXIT } from './exit-codes.ts';

/** What a command may use of the world it was started in. */
export interface CliContext extends CommandContext {
  readonly process: {
    readonly stdout: { write(text: string): unknown; isTTY?: boolean; columns?: number };
    readonly stderr: { write(text: string): unknown; isTTY?: boolean };
    readonly env: Readonly<Record<string, string | undefined>>;
    exitCode?: number | string | null | undefined;
  };
  /** Aborted by the first Ctrl-C (SIGINT) or SIGTERM, once `catchInterrupt` was called. */
  catchInterrupt(): AbortSignal;
}

export function printLine(context: CliContext, line = ''): void {
  context.process.stdout.write(`${line}\n`);
}

/** One JSON value on one line: what `--json` promises. */
export function printJson(context: CliContext, value: unknown): void {
  context.process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Progress and remarks: never on standard output, which belongs to the result. */
export function remark(context: CliContext, line: string): void {
  context.process.stderr.write(`${line}\n`);
}

export function exitWith(context: CliContext, code: number): void {
  if (code !== EXIT.ok) context.process.exitCode = code;
}
