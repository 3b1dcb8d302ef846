import type { TaskSpec } from '../../core/trogdor/task-class.ts';
import { matchesFilter, readFilter } from '../../core/trogdor/task-filter.ts';
import type { CoordinatorTasks } from './coordinator-tasks.ts';
import type { TrogdorHandler } from './serve.ts';
import { refused, TrogdorError } from './trogdor-error.ts';

/** The coordinator's side of Trogdor's protocol. */
export function coordinatorDoor(
  tasks: CoordinatorTasks,
  options: { serverStartMs: number; shutdown: (stopAgents: boolean) => Promise<void> },
): Record<string, TrogdorHandler> {
  const { serverStartMs } = options;
  return {
    status: async () => ({ serverStartMs }),
    uptime: async () => ({ serverStartMs, nowMs: Date.now() }),
    createTask: async ({ body }) => {
      const { id, spec } = body as { id: string; spec: TaskSpec };
      tasks.create(id, spec);
      return {};
    },
    stopTask: async ({ body }) => {
      tasks.stop((body as { id: string }).id);
      return {};
    },
    destroyTask: async ({ query }) => {
      const id = query.get('taskId') ?? '';
      if (id === '') throw refused([{ path: '?taskId', message: "'taskId' is missing" }]);
      tasks.destroy(id);
      return {};
    },
    listTasks: async ({ query }) => {
      const filter = readFilter((name) => query.getAll(name));
      if (!filter.ok) throw refused(filter.problems);
      const found = tasks.list().filter(([id, task]) => matchesFilter(filter.value, id, task));
      // 'tasks' is always there: Trogdor leaves an empty one out, and Python clients trip over it.
      return { tasks: Object.fromEntries(found) };
    },
    getTask: async ({ id }) => {
      const task = tasks.get(id);
      if (!task) throw new TrogdorError(404, `No task with ID "${id}" exists.`);
      return task;
    },
    shutdown: async ({ body }) => {
      await options.shutdown((body as { stopAgents: boolean }).stopAgents);
      return {};
    },
  };
}
