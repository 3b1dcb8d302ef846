import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { TrogdorRoute } from '../../core/trogdor/routes.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { checkListen, urlHost, type ListenAddress } from '../http/listen.ts';
import { checkSite } from '../http/same-site.ts';
import { readRequest, type TrogdorRequest } from './request.ts';
import { refused, TrogdorError } from './trogdor-error.ts';
import type { IncomingMessage } from 'node:http';

const CLOSE_GRACE_MS = 1_000;

/** Answers with a body; errors are thrown as TrogdorError or HttpProblem. */
export type TrogdorHandler = (request: TrogdorRequest) => Promise<unknown>;

export interface TrogdorLogger {
  info(data: object, message: string): void;
  error(data: object, message: string): void;
}

interface ServeOptions {
  routes: readonly TrogdorRoute[];
  handlers: Readonly<Record<string, TrogdorHandler>>;
  listen: ListenAddress;
  /** Allows more than loopback: the protocol has no authentication. */
  insecure: boolean;
  /** Names besides loopback and addresses this daemon is called by. */
  hostNames: readonly string[];
  logger: TrogdorLogger;
}

export interface TrogdorServer {
  url: string;
  close(): Promise<void>;
}

/** Serves one side of Trogdor's protocol. @throws Failure: port taken, or not allowed to listen. */
export async function serveTrogdor(options: ServeOptions): Promise<TrogdorServer> {
  checkListen(options.listen, false, options.insecure);
  const server = createServer((incoming, outgoing) => {
    void answer(options, incoming).then(({ code, body }) => send(outgoing, code, body));
  });
  const { host, port } = options.listen;
  await listen(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  return { url: `http://${urlHost(host)}:${bound}`, close: () => close(server) };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      const says = isTaken ? `port taken: ${urlHost(host)}:${port} is in use` : reasonOf(error);
      const code = isTaken ? 'port-taken' : 'cannot-listen';
      reject(new Failure(code, `--trogdor: ${says}`, { definite: true, cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

async function close(server: Server): Promise<void> {
  const force = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  await closed;
  clearTimeout(force);
}

function send(outgoing: ServerResponse, code: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  outgoing.writeHead(code, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  outgoing.end(bytes);
}

async function answer(
  options: ServeOptions,
  incoming: IncomingMessage,
): Promise<{ code: number; body: unknown }> {
  try {
    const wrongSite = checkSite(incoming.headers, options.hostNames);
    if (wrongSite) throw wrongSite;
    const { route, request } = await readRequest(options.routes, incoming);
    const handler = options.handlers[route.name];
    if (!handler) throw new TrogdorError(501, `${route.name} is not served here`);
    if (route.method !== 'GET')
      options.logger.info({ by: 'trogdor', remote: request.remote, request: route.name }, 'asked');
    return { code: 200, body: await handler(request) };
  } catch (error) {
    const { code, message } = asTrogdorError(error);
    if (code >= 500 && code !== 501) options.logger.error({ err: error }, 'a request failed');
    return { code, body: { code, message } };
  }
}

/** Anything thrown, in Trogdor's words: what we call unprocessable is a bad request there. */
function asTrogdorError(error: unknown): TrogdorError {
  if (error instanceof TrogdorError) return error;
  if (!(error instanceof HttpProblem)) return new TrogdorError(500, reasonOf(error));
  const problems = error.options.problems ?? [];
  const code = error.status === 422 ? 400 : error.status;
  return problems.length > 0 ? refused(problems, code) : new TrogdorError(code, error.message);
}
