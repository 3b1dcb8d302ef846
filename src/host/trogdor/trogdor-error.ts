import { describeProblem, type Problem } from '../../core/base/problem.ts';

/** An answer that is an error, in Trogdor's shape: {"code", "message"}. */
export class TrogdorError extends Error {
  override name = 'TrogdorError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** 400 (or another code) with all problems in the message, one a line. */
export function refused(problems: readonly Problem[], code = 400): TrogdorError {
  return new TrogdorError(code, problems.map(describeProblem).join('\n'));
}
