import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { assert, BugError } from '../core/base/assert.ts';
import { Failure, reasonOf } from '../core/base/failure.ts';
import type { Route } from '../core/model/api.ts';
import { sendAnswer, sendProblem, type EventStreams } from './http/answer.ts';
import { authorize, NOBODY } from './http/authorize.ts';
import type { Handler, RouteRequest } from './http/handler.ts';
import { HttpProblem } from './http/http-problem.ts';
import { checkListen, urlHost, type ListenAddress } from './http/listen.ts';
import { refuseUpgrade } from './http/refuse-upgrade.ts';
import { checkSite } from './http/same-site.ts';
import type { Identity, Tokens } from './http/tokens.ts';
import { validateRequest, type BodyCheck } from './http/validate.ts';

/** A request body larger than this is answered 413. */
const BODY_BYTES_MAX = 1024 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How long answers under way may take once the server closes. */
const CLOSE_GRACE_MS = 1_000;

/** What of a logger we need: pino has it. */
export interface ServerLogger {
  debug(data: object, message: string): void;
  error(data: object, message: string): void;
}

export interface TlsOptions {
  /** PEM texts. */
  key: string;
  cert: string;
  /** With it, clients must show a certificate of this authority (mutual TLS). */
  clientCa?: string;
}

export interface ServeOptions {
  routes: readonly Route[];
  /** By route name; every route but upgrades must have one. */
  handlers: Readonly<Record<string, Handler>>;
  /** By route: what more is wrong with a body whose shape is wrong. */
  bodyChecks?: Readonly<Record<string, BodyCheck>>;
  tokens: Tokens;
  listen: ListenAddress;
  /** Allows plain HTTP beyond loopback. */
  insecure?: boolean;
  tls?: TlsOptions;
  logger: ServerLogger;
  /** Names besides loopback and addresses this daemon is called by (header Host). */
  hostNames?: readonly string[];
  /**
   * Takes a WebSocket upgrade of one of the routes (authenticated, and allowed by its role). Throws
   * HttpProblem to refuse.
   */
  onUpgrade?: (upgrade: Upgrade) => void;
  /** A bug was found: the daemon is to stop. The answer (500) is already under way. */
  onBug?: (error: BugError) => void;
  heartbeatMs?: number;
}

export interface Upgrade {
  route: Route;
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  identity: Identity;
}

export interface HttpServer {
  /** Where it listens, as a URL without a path. */
  url: string;
  port: number;
  /** Refuses new requests, ends event streams, lets answers under way finish for a second. */
  close(): Promise<void>;
}

interface Context {
  options: ServeOptions;
  matchers: { route: Route; pattern: RegExp }[];
  streams: EventStreams;
}

/** Serves the routes of core/model/api.ts. @throws Failure: port taken, or not allowed to listen. */
export async function serveRoutes(options: ServeOptions): Promise<HttpServer> {
  checkListen(options.listen, options.tls !== undefined, options.insecure === true);
  const matchers = options.routes.map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replace(/\{[^}]+\}/g, '[^/]+').replaceAll('.', '\\.')}$`),
  }));
  const streams: EventStreams = { open: new Set() };
  if (options.heartbeatMs !== undefined) streams.heartbeatMs = options.heartbeatMs;
  const context: Context = { options, matchers, streams };
  const app = makeApp(options);
  addErrors(app, context);
  app.addHook('onRequest', async (request) => {
    const refused = checkSite(request.headers, options.hostNames ?? []);
    if (refused) throw refused;
  });
  for (const route of options.routes) addRoute(app, route, context);
  app.server.on('upgrade', (request, socket, head) => {
    upgrade(context, request, socket, head);
  });
  try {
    await app.listen({ host: options.listen.host, port: options.listen.port });
  } catch (error) {
    throw listenFailure(options.listen, error);
  }
  const { port } = app.server.address() as AddressInfo;
  const scheme = options.tls ? 'https' : 'http';
  return {
    url: `${scheme}://${urlHost(options.listen.host)}:${port}`,
    port,
    close: () => close(app, context),
  };
}

function makeApp(options: ServeOptions): FastifyInstance {
  const base = {
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle' as const,
    routerOptions: { maxParamLength: 256 },
    exposeHeadRoutes: false,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
  };
  const { tls } = options;
  const app = tls
    ? (Fastify({
        ...base,
        https: {
          key: tls.key,
          cert: tls.cert,
          headersTimeout: HEADERS_TIMEOUT_MS,
          minVersion: 'TLSv1.2',
          ...(tls.clientCa === undefined
            ? {}
            : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
        },
      }) as unknown as FastifyInstance)
    : Fastify(base);
  // checkSchema is the only judge, so that all problems come at once with their paths.
  app.setValidatorCompiler(() => () => true);
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body as string, done);
  });
  return app;
}

function addErrors(app: FastifyInstance, context: Context): void {
  const { options } = context;
  app.setErrorHandler((error, _request, reply) => {
    const problem = toProblem(error, options);
    for (const [name, value] of Object.entries(problem.options.headers ?? {}))
      reply.header(name, value);
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const allowed = context.matchers
      .filter((matcher) => matcher.pattern.test(path))
      .map((matcher) => matcher.route.method);
    if (allowed.length === 0)
      return sendProblem(reply, new HttpProblem(404, `nothing is at ${path.slice(0, 200)}`));
    const allow = [...new Set(allowed)].sort().join(', ');
    reply.header('allow', allow);
    return sendProblem(
      reply,
      new HttpProblem(405, `${path.slice(0, 200)} allows ${allow}, not ${request.method}`),
    );
  });
}

/** Anything thrown, as what the client is told; what it must not see goes to the log. */
function toProblem(error: unknown, options: ServeOptions): HttpProblem {
  if (error instanceof HttpProblem) return error;
  const status = (error as { statusCode?: number }).statusCode;
  if (status === 413)
    return new HttpProblem(413, `a body may have ${BODY_BYTES_MAX} bytes at most`);
  if (status === 415) return new HttpProblem(415, 'a body must be application/json');
  if (status !== undefined && status >= 400 && status < 500)
    return new HttpProblem(status, reasonOf(error));
  options.logger.error({ err: error }, 'a request failed');
  if (error instanceof BugError) {
    options.onBug?.(error);
    return new HttpProblem(500, `a bug was found: ${error.message}`);
  }
  if (error instanceof Failure) return new HttpProblem(500, error.message);
  return new HttpProblem(500, 'an unexpected error; the log of the daemon has more');
}

function addRoute(app: FastifyInstance, route: Route, context: Context): void {
  const { options } = context;
  const handler = options.handlers[route.name];
  const isUpgrade = Object.keys(route.answers).includes('101');
  assert(handler !== undefined || isUpgrade, `route ${route.name} has no handler`);
  const identities = new WeakMap<FastifyRequest, Identity>();
  app.route({
    method: route.method === 'GET' && !route.stream ? ['GET', 'HEAD'] : [route.method],
    url: route.path.replace(/\{([^}]+)\}/g, ':$1'),
    // Before the body is read: strangers cannot make us read one.
    onRequest: async (request) => {
      identities.set(request, authorize(route, request.headers.authorization, options.tokens));
    },
    handler: async (request, reply) => {
      if (!handler) {
        reply.header('upgrade', 'websocket');
        throw new HttpProblem(400, `${route.path} is a WebSocket`);
      }
      validateRequest(route, request, options.bodyChecks?.[route.name]);
      const gone = new AbortController();
      reply.raw.on('close', () => gone.abort());
      const answer = await handler({
        params: (request.params ?? {}) as Record<string, string>,
        query: (request.query ?? {}) as Record<string, string>,
        body: request.body,
        identity: identities.get(request) ?? NOBODY,
        remote: request.ip,
        local: request.socket.localAddress ?? '',
        signal: gone.signal,
      } satisfies RouteRequest);
      options.logger.debug({ route: route.name, remote: request.ip }, 'answered');
      return sendAnswer(request, reply, answer, context.streams);
    },
  });
}

/** Takes or refuses an upgrade; checks what a plain request is checked for. */
function upgrade(context: Context, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { options } = context;
  // A peer that resets while it is refused is no news.
  socket.on('error', () => socket.destroy());
  try {
    const refused = checkSite(request.headers, options.hostNames ?? []);
    if (refused) throw refused;
    const path = (request.url ?? '').split('?')[0] ?? '';
    const route = context.matchers.find((matcher) => matcher.pattern.test(path))?.route;
    if (!route || !Object.keys(route.answers).includes('101') || !options.onUpgrade)
      throw new HttpProblem(404, `no WebSocket is at ${path.slice(0, 200)}`);
    const identity = authorize(route, request.headers.authorization, options.tokens);
    options.onUpgrade({ route, request, socket, head, identity });
  } catch (error) {
    refuseUpgrade(socket, toProblem(error, options));
  }
}

function listenFailure(listen: ListenAddress, error: unknown): Failure {
  const code = (error as NodeJS.ErrnoException).code;
  const where = `${urlHost(listen.host)}:${listen.port}`;
  const says =
    code === 'EADDRINUSE'
      ? `port taken: ${where} is in use by another process`
      : `cannot listen on ${where}: ${reasonOf(error)}`;
  return new Failure(code === 'EADDRINUSE' ? 'port-taken' : 'cannot-listen', says, {
    definite: true,
    cause: error,
  });
}

async function close(app: FastifyInstance, context: Context): Promise<void> {
  for (const end of context.streams.open) end();
  const force = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
  await app.close();
  clearTimeout(force);
}
