import { parseDuration } from '../../core/base/duration.ts';
import type { AgentReply } from '../../core/agent/event.ts';
import { latest, type AgentState } from '../../core/agent/state.ts';
import { statusOf } from '../../core/agent/status.ts';
import { AGENT_ROUTES } from '../../core/model/api.ts';
import type { AgentFaultRequest } from '../../core/model/fault-request.ts';
import type { AgentFaultStatus } from '../../core/model/fault-status.ts';
import { hasEnded } from '../../core/model/lifecycle.ts';
import { openApiOf } from '../../core/model/openapi.ts';
import type { Service } from '../../core/model/agent-config.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { Handler, Reply, RouteRequest } from '../http/handler.ts';
import { bootMs, readBootId } from '../clock.ts';
import type { Linux } from '../linux/linux.ts';
import { VERSION } from '../version.ts';
import type { AgentDriver, AgentRequest } from './driver.ts';
import type { AgentEvents } from './events.ts';
import { renderMetrics } from './metrics.ts';

const WAIT_MAX_MS = 60_000;

export interface HandlerContext {
  node: string;
  driver: AgentDriver;
  linux: Linux;
  services: Readonly<Record<string, Service>>;
  events: AgentEvents;
  /** Resolves when every need was probed. */
  probed: Promise<void>;
}

/** The agent's routes of api.ts, but for the link and the workloads. */
export function agentHandlers(context: HandlerContext): Record<string, Handler> {
  const { driver, node } = context;
  const act = async (request: AgentRequest): Promise<Reply> =>
    toReply(await driver.request(request));
  return {
    health: () => json({ name: node, role: 'agent', version: VERSION }),
    openapi: () => json(openApiOf(AGENT_ROUTES, { title: 'Faultline agent', version: VERSION })),
    metrics: async () => ({ status: 200, ...(await renderMetrics(driver.state)) }),
    events: ({ query }) => ({
      events: context.events.log,
      wanted: (event) =>
        query['fault'] === undefined || (event as { fault?: string }).fault === query['fault'],
    }),
    clock: () => json({ bootMs: bootMs() }),
    capabilities: () => capabilities(context),
    processes: () => processes(context),
    createFault: (request) => createFault(context, request),
    listFaults: ({ query }) => json({ faults: listFaults(driver.state, query['state']) }),
    getFault: ({ params }) => {
      const found = find(driver.state, params['id'] ?? '');
      if (!found) throw new HttpProblem(404, `there is no fault '${params['id']}'`);
      return json(found);
    },
    healFault: async ({ params, query, signal }) => {
      const id = params['id'] ?? '';
      const reply = await driver.request({ event: 'heal', id });
      if (reply.status !== 202) return toReply(reply);
      await waitFor(context, query['wait'], signal, (state) => settled(find(state, id)));
      return { status: 202, body: find(driver.state, id) ?? reply.body };
    },
    heal: async ({ query, signal }) => {
      const reply = await driver.request({ event: 'healAll' });
      await waitFor(context, query['wait'], signal, (state) =>
        [...state.faults.values()].every((fault) => hasEnded(fault.state)),
      );
      return toReply(reply);
    },
    resume: () => act({ event: 'resume' }),
    fireFault: ({ params, body }) => {
      const { instance, atBootMs } = body as { instance: number; atBootMs: number };
      return act({ event: 'fire', id: params['id'] ?? '', instance, atBootMs });
    },
    forgetFault: ({ params, body }) => {
      const { instance } = body as { instance: number };
      return act({ event: 'forget', id: params['id'] ?? '', instance });
    },
    renewLeases: ({ body }) => {
      const named = body as { owner: string; faults: { id: string; instance: number }[] };
      return act({ event: 'leases', ...named });
    },
  };
}

const json = (body: unknown): Reply => ({ status: 200, body });

function toReply(reply: AgentReply, headers?: Record<string, string>): Reply {
  if ('body' in reply)
    return headers
      ? { status: reply.status, body: reply.body, headers }
      : { status: reply.status, body: reply.body };
  const { status, detail, problems, conflictsWith } = reply;
  throw new HttpProblem(status, detail, {
    ...(problems === undefined ? {} : { problems }),
    ...(conflictsWith === undefined ? {} : { conflictsWith }),
  });
}

function find(state: AgentState, id: string): AgentFaultStatus | undefined {
  const fault = latest(state.faults, id);
  return fault && statusOf(fault, state.node);
}

/** Every fault the agent knows, newest first. */
export function listFaults(state: AgentState, wanted?: string): AgentFaultStatus[] {
  const states = wanted?.split(',');
  return [...state.faults.values()]
    .filter((fault) => !fault.dryRun && (!states || states.includes(fault.state)))
    .map((fault) => statusOf(fault, state.node))
    .reverse();
}

const settled = (status: AgentFaultStatus | undefined): boolean =>
  status === undefined || hasEnded(status.state);

async function createFault(context: HandlerContext, request: RouteRequest): Promise<Reply> {
  const body = request.body as AgentFaultRequest;
  const dryRun = request.query['dryRun'] === 'true';
  await context.probed;
  const reply = await context.driver.request({ event: 'create', request: body, dryRun });
  if (dryRun || !('body' in reply)) return toReply(reply);
  await waitFor(context, request.query['wait'], request.signal, (state) => {
    const status = find(state, body.id);
    return settled(status) || status?.state === 'active';
  });
  const latestStatus = find(context.driver.state, body.id) ?? reply.body;
  const shown = request.query['wait'] === undefined ? reply.body : latestStatus;
  return toReply({ status: reply.status, body: shown }, { location: `/v1/faults/${body.id}` });
}

/** Waits as long as the request asks, while its client is still there. */
async function waitFor(
  context: HandlerContext,
  wait: string | undefined,
  gone: AbortSignal,
  condition: (state: AgentState) => boolean,
): Promise<void> {
  if (wait === undefined) return;
  const longest = AbortSignal.timeout(Math.min(parseDuration(wait) ?? 0, WAIT_MAX_MS));
  await context.driver.until(condition, AbortSignal.any([longest, gone]));
}

async function capabilities(context: HandlerContext): Promise<Reply> {
  await context.probed;
  return json({
    node: context.node,
    version: VERSION,
    bootId: readBootId(),
    capabilities: context.driver.state.capabilities,
    services: Object.entries(context.services).map(([name, service]) => ({
      name,
      startable: service.start !== undefined,
    })),
  });
}

async function processes(context: HandlerContext): Promise<Reply> {
  const services = [];
  for (const name of Object.keys(context.services)) {
    const answer = await context.linux.ask({ query: 'processes', match: { service: name } });
    services.push({ name, processes: answer.processes });
  }
  return json({ services });
}
