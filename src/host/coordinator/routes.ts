import { parseDuration } from '../../core/base/duration.ts';
import { checkStart } from '../../core/coordinator/admission.ts';
import { checkFaultParts } from '../../core/coordinator/check-fault-parts.ts';
import { checkMeaning, checkScenario } from '../../core/coordinator/check-scenario.ts';
import { scheduleOf } from '../../core/coordinator/schedule-of.ts';
import { KINDS } from '../../core/faults/registry.ts';
import { COORDINATOR_ROUTES } from '../../core/model/api.ts';
import type { FaultRequest } from '../../core/model/fault-request.ts';
import type { Event } from '../../core/model/fault-status.ts';
import { hasEnded } from '../../core/model/lifecycle.ts';
import { openApiOf } from '../../core/model/openapi.ts';
import { under } from '../../core/base/problem.ts';
import { HttpProblem, unprocessable } from '../http/http-problem.ts';
import type { Handler, Reply, RouteRequest } from '../http/handler.ts';
import type { BodyCheck } from '../http/validate.ts';
import { VERSION } from '../version.ts';
import type { Runs } from './api.ts';
import type { AuditLog } from './audit.ts';
import type { Coordinator } from './coordinator.ts';
import { renderMetrics } from './metrics.ts';

/** A request waits for a fault at most this long, whatever it asks for. */
const WAIT_MAX_MS = 300_000;

export interface RoutesContext {
  coordinator: Coordinator;
  runs: Runs;
  audit: AuditLog;
}

const json = (body: unknown, status = 200): Reply => ({ status, body });

function waitMsOf(request: RouteRequest): number {
  const { wait } = request.query;
  return wait === undefined ? 0 : Math.min(parseDuration(wait) ?? 0, WAIT_MAX_MS);
}

function notFound(what: string, id: string): HttpProblem {
  return new HttpProblem(404, `there is no ${what} '${id}'`);
}

/** All that are JSON of what is known; nothing is changed by them. */
function readHandlers({ coordinator, runs }: RoutesContext): Record<string, Handler> {
  const info = { title: 'Faultline coordinator', version: VERSION };
  const document = openApiOf(COORDINATOR_ROUTES, info);
  return {
    health: () =>
      json({
        name: coordinator.cluster.name,
        role: 'coordinator',
        version: VERSION,
        halted: coordinator.halted,
      }),
    openapi: () => json(document),
    metrics: async () => ({ status: 200, ...(await renderMetrics(coordinator)) }),
    events: ({ query }) => ({
      events: coordinator.events,
      wanted: (event) =>
        (query['fault'] === undefined || (event as Event).fault === query['fault']) &&
        (query['run'] === undefined || (event as Event).run === query['run']),
    }),
    listFaults: ({ query }) => json({ faults: coordinator.listFaults(filterOf(query)) }),
    getFault: ({ params }) => {
      const id = params['id'] ?? '';
      const fault = coordinator.getFault(id);
      if (!fault) throw notFound('fault', id);
      return json(fault);
    },
    listNodes: () => json({ nodes: coordinator.nodes() }),
    cluster: () => {
      const snapshot = coordinator.clusterSnapshot();
      return json({ name: coordinator.cluster.name, snapshot: snapshot ?? null });
    },
    listKinds: () => json({ kinds: KINDS.map(describeKind) }),
    createSchedule: ({ body }) => {
      const { scenario, seed } = body as { scenario: unknown; seed: string };
      const checked = checkScenario(scenario, coordinator.topology);
      if (!checked.ok) throw unprocessable(under('/scenario', checked.problems));
      return json(scheduleOf(checked.value, seed, coordinator.topology));
    },
    listRuns: () => json({ runs: runs.list() }),
    getRun: ({ params }) => {
      const id = params['id'] ?? '';
      const run = runs.get(id);
      if (!run) throw notFound('run', id);
      return json(run);
    },
    runTimeline: ({ params }) => {
      const id = params['id'] ?? '';
      if (!runs.get(id)) throw notFound('run', id);
      return { status: 200, lines: runs.timeline(id) };
    },
    runHistory: async ({ params }) => {
      const id = params['id'] ?? '';
      if (!runs.get(id)) throw notFound('run', id);
      return { status: 200, stream: await runs.history(id) };
    },
  };
}

function filterOf(query: Record<string, string>): { run?: string; states?: string[] } {
  return {
    ...(query['run'] === undefined ? {} : { run: query['run'] }),
    ...(query['state'] === undefined ? {} : { states: query['state'].split(',') }),
  };
}

function describeKind(kind: (typeof KINDS)[number]): object {
  const { kind: name, summary, doc, standing, namesNodes, colour, params, examples, needs } = kind;
  return { kind: name, summary, doc, standing, namesNodes, colour, params, examples, needs };
}

function changeHandlers({ coordinator, runs }: RoutesContext): Record<string, Handler> {
  return {
    createFault: async (request) => {
      const body = request.body as FaultRequest;
      const { created, fault } = await coordinator.createFault(body, {
        dryRun: request.query['dryRun'] === 'true',
        waitMs: waitMsOf(request),
      });
      const headers = { location: `/v1/faults/${fault.id}` };
      return { status: created ? 201 : 200, body: fault, headers };
    },
    healFault: async (request) => {
      const id = request.params['id'] ?? '';
      const before = coordinator.getFault(id);
      const isOver = before !== undefined && hasEnded(before.state);
      const fault = coordinator.healFault(id);
      const waitMs = waitMsOf(request);
      const shown =
        waitMs > 0
          ? await coordinator.waitFault(id, ({ state }) => hasEnded(state), waitMs)
          : fault;
      return json(shown, isOver ? 200 : 202);
    },
    heal: async (request) => {
      const healing = [...coordinator.state.faults.keys()];
      coordinator.healAll();
      runs.cancelAll();
      const endsAt = performance.now() + waitMsOf(request);
      for (const id of healing) {
        const leftMs = endsAt - performance.now();
        if (leftMs > 0) await coordinator.waitFault(id, ({ state }) => hasEnded(state), leftMs);
      }
      const faults = healing.flatMap((id) => {
        const fault = coordinator.getFault(id);
        return fault ? [{ id, state: fault.state }] : [];
      });
      return json({ halted: true, healing, faults }, 202);
    },
    resume: () => {
      coordinator.resume();
      return json({ halted: false });
    },
    createRun: async ({ body }) => {
      const request = body as { id: string; scenario: unknown; seed?: string };
      const { created, run } = await runs.create(request);
      const headers = { location: `/v1/runs/${run.id}` };
      return { status: created ? 201 : 200, body: run, headers };
    },
    cancelRun: ({ params }) => {
      const id = params['id'] ?? '';
      const cancelled = runs.cancel(id);
      if (!cancelled) throw notFound('run', id);
      return json(cancelled.run, cancelled.ended ? 200 : 202);
    },
  };
}

/** Writes down who asked for it and what came of it, refusals too. */
function audited(name: string, handler: Handler, audit: AuditLog): Handler {
  const route = COORDINATOR_ROUTES.find((each) => each.name === name);
  return async (request) => {
    const entry = {
      remote: request.remote,
      method: route?.method ?? '',
      path: (route?.path ?? '').replace('{id}', request.params['id'] ?? ''),
      query: request.query,
      what: request.body,
    };
    try {
      const reply = await handler(request);
      audit.write(request.identity, { ...entry, status: 'status' in reply ? reply.status : 200 });
      return reply;
    } catch (error) {
      const status = error instanceof HttpProblem ? error.status : 500;
      const detail = error instanceof Error ? error.message : String(error);
      audit.write(request.identity, { ...entry, status, detail });
      throw error;
    }
  };
}

/** The coordinator's routes of api.ts. */
export function coordinatorHandlers(context: RoutesContext): Record<string, Handler> {
  const handlers = readHandlers(context);
  for (const [name, handler] of Object.entries(changeHandlers(context)))
    handlers[name] = audited(name, handler, context.audit);
  return handlers;
}

/** By route: what can be said of a body beyond its shape even where that is wrong. */
export function coordinatorBodyChecks(coordinator: Coordinator): Record<string, BodyCheck> {
  const withScenario: BodyCheck = (body, fine) => {
    const { scenario } = (body ?? {}) as { scenario?: unknown };
    const found = checkMeaning(scenario, coordinator.topology, (part) => fine(`/scenario${part}`));
    return under('/scenario', found);
  };
  return {
    createFault: (body, fine) => [
      ...checkFaultParts(body, coordinator.topology, fine),
      ...checkStart(body ?? {}, Date.now(), fine),
    ],
    createRun: withScenario,
    createSchedule: withScenario,
  };
}
