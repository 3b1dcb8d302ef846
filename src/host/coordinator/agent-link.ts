import { WebSocket } from 'ws';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { ClockSample } from '../../core/coordinator/clock-offset.ts';
import type { ClockEstimate } from '../../core/coordinator/machine-types.ts';
import type { AgentFaultStatus, NodeStatus } from '../../core/model/fault-status.ts';
import type { Capability } from '../../core/model/fault.ts';
import {
  LINK_FRAME_BYTES_MAX,
  LINK_PING_MS,
  readLinkFrame,
  type LinkFrame,
} from '../../core/model/link.ts';
import type { NodeName } from '../../core/model/topology.ts';
import { bootMs } from '../clock.ts';
import { VERSION } from '../version.ts';
import type { AgentAnswer } from './api.ts';
import { LinkClock, type ClockTurns } from './link-clock.ts';
import { readRefusal } from './link-refusal.ts';
import { LinkRequests, type TimedAnswer } from './link-requests.ts';

/** Until the clocks are compared; an agent speaks of a few hundred faults at most. */
const EARLY_FRAMES_MAX = 1_000;
const HANDSHAKE_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const RECONNECT_FIRST_MS = 200;
/** Trogdor asks its agents every second: who starts an agent and then a task waits no longer here. */
const RECONNECT_LAST_MS = 1_000;
const SILENT_PINGS_MAX = 3;
/** Exchanges when a link comes up, and in every later round. */
const CLOCK_FIRST = 8;
const CLOCK_ROUND = 4;
const CLOCK_ROUND_MS = 5_000;
/** While it is worse than this the next round comes sooner, a few times: many dialled at once are slow. */
const CLOCK_GOOD_MS = 0.5;
const CLOCK_SOON_MS = 300;
const CLOCK_SOON_MAX = 8;

export interface LinkOptions {
  node: NodeName;
  /** Base URL of the agent. */
  url: string;
  cluster: string;
  owner: string;
  token: string;
  /** PEM texts, for an agent behind TLS. */
  tls?: { ca?: string; cert?: string; key?: string };
  /** Shared by all links of a coordinator. */
  clockTurns: ClockTurns;
}

/** What a link tells of. `up` comes first, then one complete `status`. */
export interface LinkListener {
  up(clock: ClockEstimate, coordinatorAddresses: string[]): void;
  down(reason: string): void;
  clock(estimate: ClockEstimate): void;
  status(faults: AgentFaultStatus[], complete: boolean): void;
  workload(id: string, status: unknown): void;
  event(event: Extract<LinkFrame, { frame: 'event' }>['event']): void;
}

/** Dials one agent's /v1/link for as long as it lives, and speaks REST in frames over it. */
export class AgentLink {
  readonly options: LinkOptions;
  readonly #listener: LinkListener;
  #socket: WebSocket | undefined;
  readonly #requests = new LinkRequests((code, reason) => this.#failure(code, reason));
  #clock: LinkClock | undefined;
  #timers: NodeJS.Timeout[] = [];
  #clockTimer: NodeJS.Timeout | undefined;
  #retryMs = RECONNECT_FIRST_MS;
  #closed = false;
  /** 'up' was told; frames that come before are kept. */
  #isUp = false;
  #early: LinkFrame[] = [];
  state: NodeStatus['link'] = 'unreachable';
  error: string | undefined = 'not tried yet';
  sinceWallMs = Date.now();
  version: string | undefined;
  capabilities: Capability[] | undefined;
  clockEstimate: ClockEstimate | undefined;

  constructor(options: LinkOptions, listener: LinkListener) {
    this.options = options;
    this.#listener = listener;
  }

  start(): void {
    this.#dial();
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#clockTimer);
    this.#socket?.terminate();
  }

  #dial(): void {
    if (this.#closed) return;
    const { url, token, node, cluster, owner, tls } = this.options;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/link`, {
      headers: {
        authorization: `Bearer ${token}`,
        'faultline-node': node,
        'faultline-cluster': cluster,
        'faultline-version': VERSION,
        'faultline-owner': owner,
      },
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: LINK_FRAME_BYTES_MAX,
      perMessageDeflate: false,
      followRedirects: false,
      ...tls,
    });
    this.#socket = socket;
    let refusal: string | undefined;
    socket.on('unexpected-response', (_request, response) => {
      void readRefusal(response).then((says) => {
        refusal = says;
        socket.terminate();
        this.#lost(socket, says, [401, 403, 409].includes(response.statusCode ?? 0));
      });
    });
    socket.on('open', () => void this.#opened(socket));
    socket.on('message', (data) => this.#onMessage(socket, data as Buffer));
    socket.on('error', (error) => {
      refusal ??= reasonOf(error) === '' ? 'cannot be reached' : reasonOf(error);
    });
    socket.on('close', (_code, reason) => {
      this.#lost(socket, refusal ?? (reason.toString() || 'the connection was closed'), false);
    });
  }

  #lost(socket: WebSocket, reason: string, refused: boolean): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    clearTimeout(this.#clockTimer);
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#early = [];
    const next = refused ? 'refused' : 'unreachable';
    if (this.state !== next) this.sinceWallMs = Date.now();
    this.state = next;
    this.error = reason;
    this.#requests.lost(reason);
    if (wasUp) this.#listener.down(reason);
    if (this.#closed) return;
    // Spread out: a hundred agents that came back together are not dialled at one instant.
    const waitMs = this.#retryMs * (0.75 + Math.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, RECONNECT_LAST_MS);
    this.#timers.push(setTimeout(() => this.#dial(), waitMs));
  }

  #failure(code: string, reason: string): Failure {
    return new Failure(code, `agent of ${this.options.node}: ${reason}`, {
      definite: false,
      context: { node: this.options.node },
    });
  }

  async #opened(socket: WebSocket): Promise<void> {
    this.#watch(socket);
    const clock = new LinkClock(() => this.#askTime(), this.options.clockTurns);
    this.#clock = clock;
    try {
      const estimate = await clock.exchange(CLOCK_FIRST);
      const local = localAddress(socket);
      if (this.#socket !== socket || estimate === undefined) return;
      this.#retryMs = RECONNECT_FIRST_MS;
      this.state = 'linked';
      this.error = undefined;
      this.sinceWallMs = Date.now();
      this.clockEstimate = estimate;
      this.#isUp = true;
      this.#listener.up(estimate, local === undefined ? [] : [local]);
      for (const frame of this.#early.splice(0)) this.#take(frame);
      this.#nextRound(socket, 0);
      await this.#askCapabilities(socket);
    } catch (error) {
      // The link went down in the middle: its close event has said so, and it is dialled again.
      if (this.#socket === socket) socket.terminate();
      this.error ??= reasonOf(error);
    }
  }

  async #askCapabilities(socket: WebSocket): Promise<void> {
    const { status, body } = await this.request('GET', '/v1/capabilities');
    if (status !== 200 || this.#socket !== socket) return;
    const said = body as { version?: string; capabilities?: Capability[] };
    this.version = said.version;
    this.capabilities = said.capabilities;
  }

  /** Pings: a link on which nothing comes back is half-open, and worth nothing. */
  #watch(socket: WebSocket): void {
    let silent = 0;
    const heard = (): void => {
      silent = 0;
    };
    socket.on('pong', heard);
    socket.on('message', heard);
    const timer = setInterval(() => {
      silent += 1;
      if (silent > SILENT_PINGS_MAX) socket.terminate();
      else socket.ping();
    }, LINK_PING_MS);
    this.#timers.push(timer);
  }

  async #askTime(): Promise<ClockSample | undefined> {
    const askedMs = bootMs();
    const { status, body, atMs: answeredMs } = await this.#ask('GET', '/v1/clock');
    const theirsMs = (body as { bootMs?: unknown } | null)?.bootMs;
    if (status !== 200 || typeof theirsMs !== 'number') return undefined;
    return { askedMs, answeredMs, theirsMs };
  }

  /** @param soon how many rounds came sooner than usual so far. */
  #nextRound(socket: WebSocket, soon: number): void {
    if (this.#socket !== socket) return;
    const isPoor = (this.clockEstimate?.uncertaintyMs ?? Infinity) > CLOCK_GOOD_MS;
    const isSoon = isPoor && soon < CLOCK_SOON_MAX;
    const jitter = 0.5 + Math.random();
    clearTimeout(this.#clockTimer);
    this.#clockTimer = setTimeout(
      () => void this.#round(socket).then(() => this.#nextRound(socket, soon + (isSoon ? 1 : 0))),
      isSoon ? CLOCK_SOON_MS * jitter : CLOCK_ROUND_MS,
    );
  }

  async #round(socket: WebSocket): Promise<void> {
    let estimate;
    try {
      estimate = await this.#clock?.exchange(CLOCK_ROUND);
      if (this.capabilities === undefined) await this.#askCapabilities(socket);
    } catch {
      // The link is going down: that is told by its own event.
      return;
    }
    if (this.#socket !== socket || estimate === undefined) return;
    this.clockEstimate = estimate;
    this.#listener.clock(estimate);
  }

  #onMessage(socket: WebSocket, data: Buffer): void {
    const atMs = bootMs();
    let frame: LinkFrame;
    try {
      frame = readLinkFrame(data.toString());
    } catch {
      // Not our protocol: nothing on this connection can be trusted.
      socket.close(1007, 'no frame of a link');
      return;
    }
    if (frame.frame === 'answer') this.#requests.answered(frame, atMs);
    else if (this.#isUp) this.#take(frame);
    else if (this.#early.push(frame) > EARLY_FRAMES_MAX) socket.close(1008, 'too much, too early');
  }

  #take(frame: LinkFrame): void {
    if (frame.frame === 'status')
      this.#listener.status(frame.faults as AgentFaultStatus[], frame.complete);
    else if (frame.frame === 'workload') this.#listener.workload(frame.id, frame.status);
    else if (frame.frame === 'event') this.#listener.event(frame.event);
  }

  /** One route of the agent. @throws Failure `agent-unreachable`, `timeout`: it may have happened. */
  request(method: string, path: string, body?: unknown, timeoutMs?: number): Promise<AgentAnswer> {
    return this.#ask(method, path, body, timeoutMs);
  }

  #ask(
    method: string,
    path: string,
    body?: unknown,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<TimedAnswer> {
    const whyNot = this.error ?? 'is unreachable';
    return this.#requests.send(this.#socket, { method, path, body }, timeoutMs, whyNot);
  }
}

function localAddress(socket: WebSocket): string | undefined {
  // ws keeps the socket of its connection in a field that is not in its types.
  const { _socket: raw } = socket as unknown as { _socket?: { localAddress?: string } };
  return raw?.localAddress?.replace(/^::ffff:/i, '');
}
