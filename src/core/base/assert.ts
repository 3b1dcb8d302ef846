/** A bug was found: the daemon stops, and its next start heals (ARCHITECTURE.md, errors). */
export class BugError extends Error {
  override name = 'BugError';
}

/** Asserts an invariant of our own code. Never for bad input (Problem[]) or the outside world (Failure). */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BugError(message);
}

/** Marks the impossible branch of an exhaustive switch; the compiler proves it impossible. */
export function unreachable(value: never): never {
  throw new BugError(`unreachable: ${String(value)}`);
}
