import type { TaskSpec } from '../../core/trogdor/task-class.ts';
import { readWorkerId } from '../../core/trogdor/worker-id.ts';
import type { AgentWorkers } from './agent-workers.ts';
import type { TrogdorHandler } from './serve.ts';
import { refused } from './trogdor-error.ts';

function idOf(value: unknown, path: string): string {
  const id = readWorkerId(value, path);
  if (!id.ok) throw refused(id.problems);
  return id.value;
}

/** The agent's side of Trogdor's protocol. */
export function agentDoor(
  workers: AgentWorkers,
  options: { serverStartMs: number; shutdown: () => void },
): Record<string, TrogdorHandler> {
  const { serverStartMs } = options;
  return {
    status: async () => {
      const states = workers.states();
      return Object.keys(states).length === 0
        ? { serverStartMs }
        : { serverStartMs, workers: states };
    },
    uptime: async () => ({ serverStartMs, nowMs: Date.now() }),
    createWorker: async ({ body, remote }) => {
      const { workerId, taskId, spec } = body as {
        workerId: unknown;
        taskId: string;
        spec: TaskSpec;
      };
      await workers.create({ workerId: idOf(workerId, '/workerId'), taskId, spec }, remote);
      return {};
    },
    stopWorker: async ({ body }) => {
      await workers.stop(idOf((body as { workerId: unknown }).workerId, '/workerId'));
      return {};
    },
    destroyWorker: async ({ query }) => {
      await workers.destroy(idOf(query.get('workerId'), '?workerId'));
      return {};
    },
    shutdown: async () => {
      options.shutdown();
      return {};
    },
  };
}
