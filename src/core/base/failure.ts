/**
 * The outside world said no: a kernel call, a subprocess, a socket. `definite` is the question that
 * decides what happens next: true means it certainly did not happen.
 */
export class Failure extends Error {
  override name = 'Failure';
  readonly code: string;
  readonly definite: boolean;
  readonly context: Readonly<Record<string, unknown>>;

  /**
   * @param code short and stable, kebab-case: 'nft-rejected', 'agent-unreachable'.
   * @param message one sentence: the thing, the reason and, where there is one, the remedy.
   */
  constructor(
    code: string,
    message: string,
    options: { definite: boolean; cause?: unknown; context?: Record<string, unknown> },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.definite = options.definite;
    this.context = options.context ?? {};
  }
}

/** What anything thrown says, for a message that quotes it. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
