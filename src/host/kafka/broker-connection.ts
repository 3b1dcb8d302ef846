import { isIP } from 'node:net';
import { Connection, type API, type ConnectionOptions } from '@platformatic/kafka';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { freeWhatHasLeft } from './free-written.ts';

export interface Address {
  host: string;
  port: number;
}

export interface ConnectionSettings {
  clientId: string;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  security: Pick<ConnectionOptions, 'tls' | 'sasl'>;
}

interface LibraryError {
  code?: string;
  apiId?: string;
  errors?: LibraryError[];
  message?: string;
  response?: unknown;
}

/** An answer that holds errors: some of the library's parsers throw it, with the whole answer inside. */
export class AnswerError extends Failure {
  override name = 'AnswerError';
  readonly response: unknown;
  constructor(code: string, message: string, response: unknown) {
    super(code, message, { definite: true });
    this.response = response;
  }
}

/**
 * One TCP connection to one broker; used once: after any failure it stays closed and a new one is
 * made. Every wait is bounded by the settings.
 */
export class BrokerConnection {
  readonly address: Address;
  #connection: Connection;
  #usable = true;
  #opened: Promise<void> | undefined;

  constructor(address: Address, settings: ConnectionSettings) {
    this.address = address;
    this.#connection = new Connection(settings.clientId, {
      connectTimeout: settings.connectTimeoutMs,
      requestTimeout: settings.requestTimeoutMs,
      // How many are in flight is the caller's business.
      maxInflights: 1000,
      ...settings.security,
      // An address is no server name (RFC 6066, 3); the certificate is held against it all the same.
      tlsServerName: settings.security.tls !== undefined && isIP(address.host) === 0,
    });
    this.#connection.on('error', () => {
      this.#usable = false;
    });
    this.#connection.on('close', () => {
      this.#usable = false;
    });
  }

  /** False for good once anything went wrong. */
  get usable(): boolean {
    return this.#usable;
  }

  get where(): string {
    return `${this.address.host}:${this.address.port}`;
  }

  /** Connects and authenticates. @throws Failure `not-connected`, definite: nothing was sent. */
  open(): Promise<void> {
    this.#opened ??= new Promise((resolve, reject) => {
      void this.#connection.connect(this.address.host, this.address.port, (error) => {
        if (error === null || error === undefined) {
          freeWhatHasLeft(this.#connection.socket);
          resolve();
          return;
        }
        this.#usable = false;
        const cause = (error as Error & { cause?: unknown }).cause ?? error;
        const message = `no connection to ${this.where}: ${reasonOf(cause)}`;
        reject(new Failure('not-connected', message, { definite: true, cause: error }));
      });
    });
    return this.#opened;
  }

  /**
   * One request, one answer.
   * @throws AnswerError where the broker answered with errors; Failure `request-timed-out` or
   *   `connection-lost` (definite: false, the broker may have done it).
   */
  call<Arguments extends unknown[], Answer>(
    api: API<Arguments, Answer>,
    ...request: Arguments
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const callback = (error: Error | null, answer?: Answer): void => {
        if (error === null) resolve(answer as Answer);
        else reject(this.#failure(error));
      };
      (api as unknown as (connection: Connection, ...rest: unknown[]) => void)(
        this.#connection,
        ...request,
        callback,
      );
    });
  }

  #failure(error: LibraryError): Failure {
    if (error.code === 'PLT_KFK_RESPONSE') {
      const first = error.errors?.find((inner) => inner.apiId !== undefined);
      const message = first?.message ?? error.message ?? 'an error in the answer';
      return new AnswerError(first?.apiId ?? 'UNKNOWN_SERVER_ERROR', message, error.response);
    }
    this.#usable = false;
    const timedOut = (error.message ?? '').includes('timed out');
    const code = timedOut ? 'request-timed-out' : 'connection-lost';
    const message = `${this.where}: ${error.message ?? 'connection lost'}`;
    return new Failure(code, message, { definite: false, cause: error });
  }

  close(): void {
    this.#usable = false;
    this.#connection.close(() => undefined);
  }
}
