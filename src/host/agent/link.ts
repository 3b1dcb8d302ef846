import type { IncomingMessage } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { reasonOf } from '../../core/base/failure.ts';
import { AGENT_ROUTES, type Route } from '../../core/model/api.ts';
import type { AgentFaultStatus } from '../../core/model/fault-status.ts';
import { LINK_FRAME_BYTES_MAX, LINK_PING_MS, type LinkFrame } from '../../core/model/link.ts';
import type { Handler, RouteRequest } from '../http/handler.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { Identity } from '../http/tokens.ts';
import { validateRequest } from '../http/validate.ts';
import type { Upgrade } from '../http-server.ts';
import { bootMs } from '../clock.ts';
import { VERSION } from '../version.ts';

const SILENT_PINGS_MAX = 3;
const LINKS_MAX = 16;
/** A coordinator that reads nothing is let go; it dials again and gets everything anew. */
const BUFFERED_BYTES_MAX = 8 * 1024 * 1024;

export interface LinkContext {
  node: string;
  /** Undefined: whatever cluster the coordinator says. */
  cluster: string | undefined;
  handlers: Readonly<Record<string, Handler>>;
  statuses: () => AgentFaultStatus[];
  log: (message: string) => void;
}

interface Matcher {
  route: Route;
  pattern: RegExp;
}

/** The agent's end of the coordinators' links: requests in, answers and statuses out. */
export class Links {
  readonly #context: LinkContext;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: LINK_FRAME_BYTES_MAX,
    perMessageDeflate: false,
  });
  readonly #sockets = new Set<WebSocket>();
  readonly #matchers: Matcher[] = AGENT_ROUTES.map((route) => ({
    route,
    pattern: new RegExp(
      `^${route.path.replaceAll('.', '\\.').replace(/\{([^}]+)\}/g, '(?<$1>[^/]+)')}$`,
    ),
  }));

  constructor(context: LinkContext) {
    this.#context = context;
  }

  get count(): number {
    return this.#sockets.size;
  }

  /** Takes an upgrade of GET /v1/link. @throws HttpProblem 409 where somebody else is meant */
  accept(upgrade: Upgrade): void {
    this.#checkHandshake(upgrade.request);
    if (this.#sockets.size >= LINKS_MAX)
      throw new HttpProblem(503, `this agent holds ${LINKS_MAX} links, and no more`);
    this.#server.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (socket) => {
      this.#open(socket, upgrade.identity, upgrade.request);
    });
  }

  #checkHandshake(request: IncomingMessage): void {
    const expected: [string, string | undefined][] = [
      ['node', this.#context.node],
      ['cluster', this.#context.cluster],
      ['version', VERSION],
    ];
    for (const [what, ours] of expected) {
      const theirs = request.headers[`faultline-${what}`];
      if (ours === undefined || theirs === undefined || theirs === ours) continue;
      throw new HttpProblem(
        409,
        `the coordinator expected ${what} '${String(theirs).slice(0, 80)}'; this is '${ours}'`,
      );
    }
  }

  #open(socket: WebSocket, identity: Identity, request: IncomingMessage): void {
    this.#sockets.add(socket);
    const remote = request.socket.remoteAddress ?? '';
    const gone = new AbortController();
    this.#context.log(`link of ${identity.name} from ${remote} opened`);
    let silentPings = 0;
    const heard = (): void => {
      silentPings = 0;
    };
    const ping = setInterval(() => {
      silentPings += 1;
      if (silentPings > SILENT_PINGS_MAX) socket.terminate();
      else socket.ping();
    }, LINK_PING_MS);
    socket.on('pong', heard);
    socket.on('ping', heard);
    socket.on('close', () => {
      clearInterval(ping);
      gone.abort();
      this.#sockets.delete(socket);
      this.#context.log(`link of ${identity.name} from ${remote} closed`);
    });
    socket.on('error', (error) => this.#context.log(`link from ${remote}: ${error.message}`));
    socket.on('message', (data, isBinary) => {
      heard();
      if (isBinary) return socket.close(1003, 'frames are JSON');
      const local = request.socket.localAddress ?? '';
      const common = { identity, remote, local, signal: gone.signal };
      // ws gives a text message as one Buffer.
      void this.#onFrame(socket, (data as Buffer).toString(), common);
    });
    this.#send(socket, { frame: 'status', faults: this.#context.statuses(), complete: true });
  }

  async #onFrame(
    socket: WebSocket,
    text: string,
    common: Pick<RouteRequest, 'identity' | 'remote' | 'local' | 'signal'>,
  ): Promise<void> {
    const frame = parseFrame(text);
    if (!frame) return socket.close(1007, 'no frame of a link');
    const { seq } = frame;
    // The clock's answer must not wait for anything, or the offset estimate suffers.
    if (frame.path === '/v1/clock' && frame.method === 'GET')
      return this.#send(socket, { frame: 'answer', seq, status: 200, body: { bootMs: bootMs() } });
    try {
      const { status, body } = await this.#handle(frame, common);
      this.#send(socket, { frame: 'answer', seq, status, body });
    } catch (error) {
      const problem = error instanceof HttpProblem ? error : new HttpProblem(500, reasonOf(error));
      this.#send(socket, {
        frame: 'answer',
        seq,
        status: problem.status,
        body: problem.details(),
      });
    }
  }

  async #handle(
    frame: Extract<LinkFrame, { frame: 'request' }>,
    common: Pick<RouteRequest, 'identity' | 'remote' | 'local' | 'signal'>,
  ): Promise<{ status: number; body: unknown }> {
    const url = new URL(frame.path, 'http://link');
    for (const { route, pattern } of this.#matchers) {
      if (route.method !== frame.method) continue;
      const match = pattern.exec(url.pathname);
      if (!match) continue;
      const handler = this.#context.handlers[route.name];
      if (!handler) break;
      const request = {
        params: { ...match.groups },
        query: Object.fromEntries(url.searchParams),
        body: frame.body,
      };
      validateRequest(route, request);
      const reply = await handler({ ...request, ...common });
      if ('body' in reply) return { status: reply.status, body: reply.body };
      if ('text' in reply) return { status: reply.status, body: reply.text };
      throw new HttpProblem(501, `${route.path} streams: ask over HTTP`);
    }
    throw new HttpProblem(404, `nothing is at ${frame.method} ${url.pathname.slice(0, 200)}`);
  }

  /** To every coordinator that listens. */
  broadcast(frame: LinkFrame): void {
    for (const socket of this.#sockets) this.#send(socket, frame);
  }

  #send(socket: WebSocket, frame: LinkFrame): void {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(JSON.stringify(frame));
    if (socket.bufferedAmount > BUFFERED_BYTES_MAX) socket.terminate();
  }

  close(): void {
    for (const socket of this.#sockets) socket.close(1001, 'the agent is stopping');
    this.#server.close();
  }
}

function parseFrame(text: string): Extract<LinkFrame, { frame: 'request' }> | undefined {
  try {
    const frame = JSON.parse(text) as Partial<Extract<LinkFrame, { frame: 'request' }>> | null;
    const sound =
      frame?.frame === 'request' &&
      Number.isSafeInteger(frame.seq) &&
      typeof frame.method === 'string' &&
      typeof frame.path === 'string' &&
      frame.path.startsWith('/');
    return sound ? (frame as Extract<LinkFrame, { frame: 'request' }>) : undefined;
  } catch {
    // Not JSON: not a frame.
    return undefined;
  }
}
