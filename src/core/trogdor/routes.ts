import { Type, type TSchema } from 'typebox';

/** A route of Trogdor's protocol. */
export interface TrogdorRoute {
  name: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** A last part '{id}' matches anything. */
  path: string;
  body?: TSchema;
  /** Its body has a `spec`, which is read by its class. */
  hasSpec?: boolean;
  /** Whether a body may be missing. */
  bodyMayBeMissing?: boolean;
}

const Text = Type.String({ minLength: 1, maxLength: 10_000 });
/** Worker ids are read as text, so that all 63 bits stay; see worker-id.ts. */
const WorkerId = Type.Unknown();

const closed = { additionalProperties: false };

export const TROGDOR_COORDINATOR_ROUTES: readonly TrogdorRoute[] = [
  { name: 'status', method: 'GET', path: '/coordinator/status' },
  { name: 'uptime', method: 'GET', path: '/coordinator/uptime' },
  {
    name: 'createTask',
    method: 'POST',
    path: '/coordinator/task/create',
    body: Type.Object({ id: Text, spec: Type.Unknown() }, closed),
    hasSpec: true,
  },
  {
    name: 'stopTask',
    method: 'PUT',
    path: '/coordinator/task/stop',
    body: Type.Object({ id: Text }, closed),
  },
  { name: 'destroyTask', method: 'DELETE', path: '/coordinator/tasks' },
  { name: 'listTasks', method: 'GET', path: '/coordinator/tasks' },
  { name: 'getTask', method: 'GET', path: '/coordinator/tasks/{id}' },
  {
    name: 'shutdown',
    method: 'PUT',
    path: '/coordinator/shutdown',
    body: Type.Object({ stopAgents: Type.Boolean({ default: false }) }, closed),
    // Its own client sends none.
    bodyMayBeMissing: true,
  },
];

export const TROGDOR_AGENT_ROUTES: readonly TrogdorRoute[] = [
  { name: 'status', method: 'GET', path: '/agent/status' },
  { name: 'uptime', method: 'GET', path: '/agent/uptime' },
  {
    name: 'createWorker',
    method: 'POST',
    path: '/agent/worker/create',
    body: Type.Object({ workerId: WorkerId, taskId: Text, spec: Type.Unknown() }, closed),
    hasSpec: true,
  },
  {
    name: 'stopWorker',
    method: 'PUT',
    path: '/agent/worker/stop',
    body: Type.Object({ workerId: WorkerId }, closed),
  },
  { name: 'destroyWorker', method: 'DELETE', path: '/agent/worker' },
  { name: 'shutdown', method: 'PUT', path: '/agent/shutdown', bodyMayBeMissing: true },
];

/** Whether a path is a route's; '/coordinator/tasks/' is '/coordinator/tasks', as in Trogdor. */
export function matchesRoute(route: TrogdorRoute, path: string): boolean {
  if (route.path === path || `${route.path}/` === path) return true;
  if (!route.path.endsWith('/{id}')) return false;
  const prefix = route.path.slice(0, -'{id}'.length);
  return path.startsWith(prefix) && path.length > prefix.length;
}
