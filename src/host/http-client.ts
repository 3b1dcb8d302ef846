import { parseDuration } from '../core/base/duration.ts';
import { Failure, reasonOf } from '../core/base/failure.ts';
import type { ProblemDetails } from '../core/model/api.ts';

/** No daemon waits longer, whatever it is asked. */
const WAIT_MAX_MS = 300_000;

/** An answer that was problem details (RFC 9457), with all of them. */
export class ProblemError extends Error {
  override name = 'ProblemError';
  readonly status: number;
  readonly details: ProblemDetails;

  constructor(details: ProblemDetails) {
    super(details.detail);
    this.status = details.status;
    this.details = details;
  }
}

export interface ClientOptions {
  /** 'http://127.0.0.1:7600'. */
  url: string;
  token: string;
  /** For one request, answer included, beyond what it is asked to wait; streams have none. Default 30 s. */
  timeoutMs?: number;
}

export interface CallOptions {
  query?: Readonly<Record<string, string | undefined>>;
  body?: unknown;
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface ClientAnswer<T> {
  status: number;
  body: T;
  location?: string;
}

/** One server-sent event: the JSON of its data, under its id. */
export interface StreamedEvent {
  id?: string;
  /** 'message', or 'gap' where events were missed. */
  event: string;
  data: unknown;
}

/** A small client of our own REST APIs. Errors are ProblemError (they said no) or Failure (nobody did). */
export class HttpClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#options.url;
  }

  /** Calls a route that answers JSON. @throws ProblemError, Failure `unreachable` or `timeout` */
  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<ClientAnswer<T>> {
    // Who is asked to wait says nothing before that.
    const waitMs = Math.min(parseDuration(options.query?.['wait'] ?? '') ?? 0, WAIT_MAX_MS);
    const timeoutMs = waitMs + (options.timeoutMs ?? this.#options.timeoutMs ?? 30_000);
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
    try {
      const response = await this.#fetch(method, path, { ...options, signal });
      const text = await response.text();
      const answer: ClientAnswer<T> = {
        status: response.status,
        body: (text === '' ? null : parseJson(text)) as T,
      };
      const location = response.headers.get('location');
      if (location !== null) answer.location = location;
      return answer;
    } catch (error) {
      if (timeout.aborted) throw this.#failure('timeout', `no answer in ${timeoutMs} ms`, error);
      throw error;
    }
  }

  async get<T>(path: string, options?: CallOptions): Promise<T> {
    return (await this.call<T>('GET', path, options)).body;
  }

  async post<T>(path: string, body?: unknown, options?: CallOptions): Promise<T> {
    return (await this.call<T>('POST', path, { ...options, body })).body;
  }

  async delete<T>(path: string, options?: CallOptions): Promise<T> {
    return (await this.call<T>('DELETE', path, options)).body;
  }

  /** The body of a route that streams, as text (Prometheus, JSON lines). */
  async text(path: string, options: CallOptions = {}): Promise<string> {
    return (await this.#fetch('GET', path, options)).text();
  }

  /** JSON lines, one value at a time. */
  async *lines(path: string, options: CallOptions = {}): AsyncGenerator {
    const response = await this.#fetch('GET', path, options);
    for await (const line of splitLines(response)) if (line !== '') yield parseJson(line);
  }

  /** Server-sent events until the server closes or the signal aborts; does not reconnect by itself. */
  async *events(path: string, options: CallOptions = {}): AsyncGenerator<StreamedEvent> {
    const response = await this.#fetch('GET', path, options);
    let event: StreamedEvent = { event: 'message', data: undefined };
    for await (const line of splitLines(response)) {
      const [, field, value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
      if (field === 'id') event.id = value;
      else if (field === 'event') event.event = value;
      else if (field === 'data') event.data = parseJson(value);
      else if (line === '') {
        if (event.data !== undefined) yield event;
        event = { event: 'message', data: undefined };
      }
    }
  }

  async #fetch(method: string, path: string, options: CallOptions): Promise<Response> {
    const url = new URL(path, this.#options.url);
    for (const [name, value] of Object.entries(options.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, value);
    const headers: Record<string, string> = { authorization: `Bearer ${this.#options.token}` };
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        redirect: 'error',
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        ...(options.signal ? { signal: options.signal } : {}),
      });
    } catch (error) {
      const cause = (error as { cause?: unknown }).cause ?? error;
      throw this.#failure('unreachable', reasonOf(cause), error);
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  #failure(code: string, reason: string, cause: unknown): Failure {
    return new Failure(code, `${this.#options.url} does not answer: ${reason}`, {
      definite: false,
      cause,
      context: { url: this.#options.url },
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure('bad-answer', `the answer is no JSON: ${text.slice(0, 80)}`, {
      definite: false,
      cause: error,
    });
  }
}

async function problemOf(response: Response): Promise<ProblemError> {
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('application/problem+json'))
    return new ProblemError(parseJson(text) as ProblemDetails);
  return new ProblemError({
    type: 'about:blank',
    title: response.statusText,
    status: response.status,
    detail: `answered ${response.status} ${response.statusText}: ${text.slice(0, 200)}`,
  });
}

async function* splitLines(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
