import { BugError } from '../core/base/assert.ts';
import { Failure, reasonOf } from '../core/base/failure.ts';
import { describeProblem, type Problem } from '../core/base/problem.ts';
import { EXIT } from './exit-codes.ts';

/** A command that cannot do what it was asked: the thing, the reason, and the remedy. */
export class CliError extends Error {
  override name = 'CliError';
  readonly exitCode: number;
  readonly remedy: string | undefined;
  readonly problems: readonly Problem[];

  constructor(
    message: string,
    options: { exitCode: number; remedy?: string; problems?: readonly Problem[]; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode;
    this.remedy = options.remedy;
    this.problems = options.problems ?? [];
  }
}

const PERMISSION_CODES = [
  'unauthorized',
  'forbidden',
  'needs-root',
  'bad-token-file',
  'EACCES',
  'EPERM',
];

/** The exit code of anything thrown by a command. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CliError) return thrown.exitCode;
  if (thrown instanceof Failure) {
    return PERMISSION_CODES.includes(thrown.code) ? EXIT.permission : EXIT.unavailable;
  }
  return EXIT.bug;
}

function isBug(thrown: unknown): boolean {
  return thrown instanceof BugError || exitCodeOf(thrown) === EXIT.bug;
}

/** What a person reads on standard error: one line, then the problems, then what to do. */
export function describeThrown(thrown: unknown): string {
  if (isBug(thrown)) {
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return `faultline: this is a bug of Faultline: ${stack}`;
  }
  const lines = [`faultline: ${reasonOf(thrown)}`];
  if (thrown instanceof CliError) {
    for (const problem of thrown.problems) lines.push(`  ${describeProblem(problem)}`);
    if (thrown.remedy !== undefined) lines.push(`  ${thrown.remedy}`);
  }
  return lines.join('\n');
}

/** The same for a script, as the last line of standard output with --json. */
export function thrownAsJson(thrown: unknown): Record<string, unknown> {
  const error: Record<string, unknown> = {
    message: reasonOf(thrown),
    exitCode: exitCodeOf(thrown),
  };
  if (thrown instanceof Failure) error['code'] = thrown.code;
  if (thrown instanceof CliError) {
    if (thrown.remedy !== undefined) error['remedy'] = thrown.remedy;
    if (thrown.problems.length > 0) error['problems'] = thrown.problems;
  }
  return { error };
}
