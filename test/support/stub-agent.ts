import { WebSocketServer, type WebSocket } from 'ws';
import { durationMs } from '../../src/core/base/duration.ts';
import { AGENT_ROUTES } from '../../src/core/model/api.ts';
import type { AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import { LOCAL_OWNER, type AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import { NEEDS } from '../../src/core/model/fault.ts';
import { hasEnded, type EndedBy, type State } from '../../src/core/model/lifecycle.ts';
import type { LinkFrame } from '../../src/core/model/link.ts';
import { bootClock } from '../../src/host/boot-clock.ts';
import { EventLog } from '../../src/host/http/event-log.ts';
import { HttpProblem } from '../../src/host/http/http-problem.ts';
import type { Handler, Reply } from '../../src/host/http/handler.ts';
import { Tokens } from '../../src/host/http/tokens.ts';
import { serveRoutes, type HttpServer, type Upgrade } from '../../src/host/http-server.ts';
import { bootMs } from '../../src/host/clock.ts';
import { VERSION } from '../../src/host/version.ts';
import { newStubFault, type StubFault } from './stub-fault.ts';

export const STUB_TOKEN = 'stub-token-stub-token';

export interface StubOptions {
  node: string;
  /** 0: the kernel chooses. */
  port?: number;
  /** Its boot clock minus ours. */
  clockOffsetMs?: number;
  /** Refuses to arm with this. */
  refuse?: HttpProblem;
  /** Answers no request to arm. */
  isSilent?: boolean;
}

/**
 * An agent without hands: speaks the link and REST, keeps faults in memory, does nothing to the
 * machine. Keeps what a test wants to know: requests, and the true instants at which faults fired.
 */
export class StubAgent {
  readonly options: StubOptions;
  readonly faults = new Map<string, StubFault>();
  /** 'METHOD path', as they came over the link. */
  readonly requests: string[] = [];
  /** Fault id to our own boot clock at its firing. */
  readonly firedAtMs = new Map<string, number>();
  #server: HttpServer | undefined;
  #port: number;
  readonly sockets = new Set<WebSocket>();
  /** How often it tells its faults before anybody has asked, and why the other side ended links. */
  greetings = 1;
  readonly closeCodes: number[] = [];
  readonly #ws = new WebSocketServer({ noServer: true, perMessageDeflate: false });

  constructor(options: StubOptions) {
    this.options = options;
    this.#port = options.port ?? 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  nowMs(): number {
    return bootMs() + (this.options.clockOffsetMs ?? 0);
  }

  state(id: string): State | undefined {
    return this.faults.get(id)?.status.state;
  }

  async start(): Promise<void> {
    const handlers = this.#handlers();
    this.#server = await serveRoutes({
      routes: AGENT_ROUTES.filter(({ name }) => handlers[name] !== undefined || name === 'link'),
      handlers,
      tokens: new Tokens().add(STUB_TOKEN, 'operate', 'coordinator'),
      listen: { host: '127.0.0.1', port: this.#port },
      logger: { debug: () => {}, error: () => {} },
      onUpgrade: (upgrade) => this.#accept(upgrade, handlers),
    });
    this.#port = this.#server.port;
  }

  /** Goes away: its links break, its faults stay in the table. */
  async stop(): Promise<void> {
    this.dropLinks();
    await this.#server?.close();
  }

  async close(): Promise<void> {
    await this.stop();
    this.#ws.close();
    for (const fault of this.faults.values()) for (const cancel of fault.cancel) cancel();
  }

  dropLinks(): void {
    for (const socket of this.sockets) socket.terminate();
  }

  /** A fault that somebody else made. */
  adopt(id: string, owner: string): void {
    const request: AgentFaultRequest = { id, kind: 'noop' };
    const fault = newStubFault(this.options.node, request, owner, 1, 'active');
    fault.status.firedAtBootMs = this.nowMs();
    this.faults.set(id, fault);
    this.#push(id);
  }

  #accept(upgrade: Upgrade, handlers: Record<string, Handler>): void {
    if (upgrade.request.headers['faultline-node'] !== this.options.node)
      throw new HttpProblem(409, `this is '${this.options.node}'`);
    this.#ws.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (socket) => {
      this.sockets.add(socket);
      socket.on('close', (code) => {
        this.closeCodes.push(code);
        this.sockets.delete(socket);
      });
      // A link that breaks is the test's doing.
      socket.on('error', () => socket.terminate());
      socket.on('message', (data) => {
        const frame = JSON.parse((data as Buffer).toString()) as Extract<
          LinkFrame,
          { frame: 'request' }
        >;
        void this.#onRequest(socket, frame, handlers);
      });
      const told = { frame: 'status', faults: this.#statuses(), complete: true };
      for (let sent = 0; sent < this.greetings; sent++) socket.send(JSON.stringify(told));
    });
  }

  async #onRequest(
    socket: WebSocket,
    frame: Extract<LinkFrame, { frame: 'request' }>,
    handlers: Record<string, Handler>,
  ): Promise<void> {
    const url = new URL(frame.path, 'http://link');
    this.requests.push(`${frame.method} ${frame.path}`);
    const [, , , id = '', command = ''] = url.pathname.split('/');
    const path = url.pathname.replace(id, id === '' ? '' : '{id}');
    const route = AGENT_ROUTES.find((each) => each.method === frame.method && each.path === path);
    const handler = route && handlers[route.name];
    let answer: { status: number; body?: unknown };
    try {
      if (!handler) throw new HttpProblem(404, `nothing is at ${frame.path} (${command})`);
      const query = Object.fromEntries(url.searchParams);
      const signal = new AbortController().signal;
      const identity = { name: 'coordinator', role: 'operate' as const };
      const common = { identity, remote: '', local: '', signal };
      const reply = await handler({ params: { id }, query, body: frame.body, ...common });
      if (!('body' in reply)) return;
      answer = { status: reply.status, body: reply.body };
    } catch (error) {
      if (!(error instanceof HttpProblem)) throw error;
      answer = { status: error.status, body: error.details() };
    }
    if (answer.status === 0 || socket.readyState !== socket.OPEN) return;
    socket.send(JSON.stringify({ frame: 'answer', seq: frame.seq, ...answer }));
  }

  #push(id: string): void {
    const status = this.faults.get(id)?.status;
    const frame = JSON.stringify({ frame: 'status', faults: [status], complete: false });
    for (const socket of this.sockets) socket.send(frame);
  }

  #statuses(): AgentFaultStatus[] {
    return [...this.faults.values()].map(({ status }) => status);
  }

  #change(id: string, change: Partial<AgentFaultStatus>): void {
    const fault = this.faults.get(id);
    if (!fault) return;
    fault.status = { ...fault.status, ...change };
    this.#push(id);
  }

  /** A fault ends here, by itself or by request. */
  end(id: string, endedBy: EndedBy): void {
    const fault = this.faults.get(id);
    if (!fault || hasEnded(fault.status.state)) return;
    for (const cancel of fault.cancel.splice(0)) cancel();
    const state = fault.status.firedAtBootMs === undefined ? 'cancelled' : 'healed';
    this.#change(id, { state, endedBy, endedAtBootMs: this.nowMs() });
  }

  #at(ownMs: number, precise: boolean, callback: () => void): () => void {
    return bootClock.at(ownMs - (this.options.clockOffsetMs ?? 0), precise, callback);
  }

  #renew(fault: StubFault): void {
    if (fault.leaseMs === undefined) return;
    const endsMs = this.nowMs() + fault.leaseMs;
    fault.status.leaseEndsBootMs = endsMs;
    fault.cancel.push(
      this.#at(endsMs, false, () => {
        if (fault.status.leaseEndsBootMs === endsMs) this.end(fault.status.id, 'lease');
      }),
    );
  }

  #create(request: AgentFaultRequest, isDryRun: boolean): Reply {
    if (this.options.refuse) throw this.options.refuse;
    const owner = request.context?.owner ?? LOCAL_OWNER;
    const instance = request.context?.instance ?? 1;
    const known = this.faults.get(request.id);
    if (known && known.status.owner !== owner) {
      const conflictsWith = known.status.owner;
      const says = `'${request.id}' belongs to another owner, '${conflictsWith}'`;
      throw new HttpProblem(409, says, { conflictsWith });
    }
    if (known && known.status.instance === instance) return { status: 200, body: known.status };
    const fault = newStubFault(this.options.node, request, owner, instance, 'arming');
    if (isDryRun) return { status: 200, body: fault.status };
    for (const cancel of known?.cancel ?? []) cancel();
    this.faults.set(request.id, fault);
    if (this.options.isSilent) return { status: 0, body: null };
    this.#renew(fault);
    fault.status = { ...fault.status, state: 'armed' };
    this.#push(request.id);
    return { status: 201, body: fault.status };
  }

  #fire(id: string, atBootMs: number): Reply {
    const fault = this.faults.get(id);
    if (fault?.status.state !== 'armed') throw new HttpProblem(409, 'it is not armed');
    fault.cancel.push(
      this.#at(atBootMs, true, () => {
        this.firedAtMs.set(id, bootMs());
        this.#change(id, { state: 'active', firedAtBootMs: this.nowMs() });
        const { duration } = fault.request;
        if (duration === undefined) return;
        const deadlineMs = atBootMs + durationMs(duration);
        fault.cancel.push(this.#at(deadlineMs, false, () => this.end(id, 'deadline')));
      }),
    );
    return { status: 202, body: fault.status };
  }

  #handlers(): Record<string, Handler> {
    const json = (body: unknown, status = 200): Reply => ({ status, body });
    return {
      clock: () => json({ bootMs: this.nowMs() }),
      capabilities: () =>
        json({
          node: this.options.node,
          version: VERSION,
          bootId: 'stub',
          capabilities: NEEDS.map((need) => ({ need, met: true, why: 'a stub' })),
          services: [],
        }),
      events: () => ({ events: new EventLog() }),
      createFault: ({ body, query }) =>
        this.#create(body as AgentFaultRequest, query['dryRun'] === 'true'),
      listFaults: () => json({ faults: this.#statuses() }),
      fireFault: ({ params, body }) =>
        this.#fire(params['id'] ?? '', (body as { atBootMs: number }).atBootMs),
      healFault: ({ params }) => {
        const id = params['id'] ?? '';
        if (!this.faults.has(id)) throw new HttpProblem(404, 'there is no such fault');
        this.end(id, 'request');
        return json(this.faults.get(id)?.status, 202);
      },
      forgetFault: ({ params }) => {
        const id = params['id'] ?? '';
        if (!hasEnded(this.state(id) ?? 'healed')) throw new HttpProblem(409, 'it has not ended');
        for (const cancel of this.faults.get(id)?.cancel ?? []) cancel();
        this.faults.delete(id);
        return json({ id });
      },
      renewLeases: ({ body }) => {
        const { owner, faults } = body as { owner: string; faults: { id: string }[] };
        for (const [id, fault] of this.faults) {
          if (fault.status.owner !== owner || hasEnded(fault.status.state)) continue;
          if (faults.some((each) => each.id === id)) this.#renew(fault);
          else this.end(id, 'request');
        }
        return json({ renewed: [], healing: [] });
      },
    };
  }
}
