/**
 * One thing wrong with a document somebody gave us. Problems are values and come all at once:
 * whoever wrote the document mends it in one go.
 */
export interface Problem {
  /** JSON pointer into the document (RFC 6901): '' is the whole document, '/nodes/0/name' a part. */
  path: string;
  /** What is wrong, in one sentence that names the thing. */
  message: string;
  /** What was found there, shortened. */
  found?: string;
  /** What is expected there. */
  expected?: string;
  /** A name close to what was found, where a name is expected. */
  nearMiss?: string;
}

/** A value, or all that is wrong with the input it would have been made from. */
export type Checked<T> = { ok: true; value: T } | { ok: false; problems: Problem[] };

export function valid<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function invalid<T = never>(...problems: Problem[]): Checked<T> {
  return { ok: false, problems };
}

/** The same problems, seen from a document that holds this one at `prefix`. */
export function under(prefix: string, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => ({ ...problem, path: prefix + problem.path }));
}

/** One line a problem, for people. */
export function describeProblem(problem: Problem): string {
  const where = problem.path === '' ? '(document)' : problem.path;
  const found = problem.found === undefined ? '' : `; found ${problem.found}`;
  const expected = problem.expected === undefined ? '' : `; expected ${problem.expected}`;
  const near = problem.nearMiss === undefined ? '' : `; did you mean '${problem.nearMiss}'?`;
  return `${where}: ${problem.message}${found}${expected}${near}`;
}
