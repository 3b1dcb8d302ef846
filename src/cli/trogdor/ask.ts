import { reasonOf } from '../../core/base/failure.ts';
import { TrogdorCliError } from './arguments.ts';

const TIMEOUT_MS = 30_000;

/** An answer with a code of 400 or more. */
export class TrogdorAnswerError extends TrogdorCliError {
  override name = 'TrogdorAnswerError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    // Not Trogdor's shape: what it says is all there is.
    return text;
  }
}

/** Asks a daemon. @param body JSON, as text. @returns the answer's text. */
export async function askText(
  target: string,
  method: string,
  path: string,
  body?: string,
): Promise<string> {
  const url = `http://${target}${path}`;
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(url, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    text = await answer.text();
  } catch (error) {
    const { cause } = error as Error;
    throw new TrogdorCliError(`${url}: ${reasonOf(cause ?? error)}`);
  }
  if (answer.status >= 400) throw new TrogdorAnswerError(answer.status, messageOf(text));
  return text;
}

export async function ask(target: string, method: string, path: string): Promise<unknown> {
  return JSON.parse(await askText(target, method, path));
}
