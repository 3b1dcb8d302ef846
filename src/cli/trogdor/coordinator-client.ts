import { ask, askText, TrogdorAnswerError } from './ask.ts';
import { specText, TrogdorCliError, type Option } from './arguments.ts';
import { json, only, printText, uptimeCommand, type TrogdorCommand } from './command.ts';
import { durationText, gridText, instantText, prettyJson } from './format.ts';

interface Task {
  state: 'PENDING' | 'RUNNING' | 'STOPPING' | 'DONE';
  spec: { class: string; startMs: number; durationMs: number };
  startedMs?: number;
  doneMs?: number;
  error?: string;
  cancelled?: boolean;
  status?: unknown;
}

const id: Option = { short: 'i', required: true, says: 'the task ID' };

/** What the column INFO says. */
export function taskInfo(task: Task): string {
  const { spec, startedMs = -1, doneMs = 0, error = '', cancelled } = task;
  if (task.state === 'PENDING') return `Will start at ${instantText(spec.startMs)}`;
  const started = `Started ${instantText(startedMs)}`;
  if (task.state === 'STOPPING') return started;
  if (task.state === 'RUNNING')
    return `${started}; will stop after ${durationText(spec.durationMs)}`;
  const how = error !== '' ? 'FAILED' : cancelled === true ? 'CANCELLED' : 'FINISHED';
  const after = startedMs < 0 ? '' : ` after ${durationText(doneMs - startedMs)}`;
  return `${how} at ${instantText(doneMs)}${after}`;
}

const showTask: TrogdorCommand = {
  says: 'Show a coordinator task.',
  options: {
    json,
    id,
    verbose: { short: 'v', isSwitch: true, says: 'print out everything' },
    'show-status': { short: 'S', isSwitch: true, says: 'show the task status' },
  },
  run: async (target, given, print) => {
    const name = only(given, 'id');
    let text: string;
    try {
      text = await askText(target, 'GET', `/coordinator/tasks/${encodeURIComponent(name)}`);
    } catch (error) {
      if (!(error instanceof TrogdorAnswerError) || error.code !== 404) throw error;
      print(`Task ${name} was not found.\n`);
      return 1;
    }
    if (given['json']) return printText(print, text);
    const task = JSON.parse(text) as Task;
    print(`Task ${name} of type ${task.spec.class} is ${task.state}. ${taskInfo(task)}\n`);
    if (task.error !== undefined) print(`Error: ${task.error}\n`);
    if (given['verbose']) print(`Spec: ${prettyJson(task.spec)}\n\n`);
    if (given['verbose'] || given['show-status'])
      print(`Status: ${prettyJson(task.status ?? null)}\n\n`);
    return 0;
  },
};

function patternOf(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`, 'u');
  } catch {
    throw new TrogdorCliError(`Invalid task ID regular expression ${text}`);
  }
}

const showTasks: TrogdorCommand = {
  says: 'Show many tasks; all of them without options.',
  options: {
    json,
    id: { short: 'i', multiple: true, says: 'show only this task; may stand several times' },
    'id-pattern': { says: 'show only tasks whose ID matches this regular expression' },
    state: { short: 's', says: 'show only tasks in this state' },
  },
  run: async (target, given, print) => {
    const query = new URLSearchParams();
    for (const one of given['id'] ?? []) query.append('taskId', one);
    const state = only(given, 'state');
    if (state !== '') query.append('state', state);
    const pattern = patternOf(only(given, 'id-pattern') || '.*');
    const suffix = query.size > 0 ? `?${query.toString()}` : '';
    const answer = (await ask(target, 'GET', `/coordinator/tasks${suffix}`)) as {
      tasks?: Record<string, Task>;
    };
    const tasks = Object.entries(answer.tasks ?? {})
      .filter(([name]) => pattern.test(name))
      .toSorted(([left], [right]) => (left < right ? -1 : 1));
    if (given['json'])
      return printText(print, JSON.stringify({ tasks: Object.fromEntries(tasks) }));
    if (tasks.length === 0) {
      print('No matching tasks found.\n');
      return 1;
    }
    const rows = tasks.map(([name, task]) => [name, task.spec.class, task.state, taskInfo(task)]);
    return printText(print, gridText([['ID', 'TYPE', 'STATE', 'INFO'], ...rows]));
  },
};

const createTask: TrogdorCommand = {
  says: 'Create a new task.',
  options: {
    id,
    spec: { short: 's', required: true, says: 'the task spec, or a path to a file with it' },
  },
  run: async (target, given, print) => {
    const name = only(given, 'id');
    const body = `{"id":${JSON.stringify(name)},"spec":${specText(only(given, 'spec'))}\n}`;
    try {
      await askText(target, 'POST', '/coordinator/task/create', body);
    } catch (error) {
      if (!(error instanceof TrogdorAnswerError) || error.code !== 409) throw error;
      print(
        `CreateTaskRequest for task ${name} got a 409 status code - a task with the same ID but a ` +
          `different specification already exists.\nException: ${error.message}\n`,
      );
      return 1;
    }
    print(`Sent CreateTaskRequest for task ${name}.\n`);
    return 0;
  },
};

export const COORDINATOR_COMMANDS: Readonly<Record<string, TrogdorCommand>> = {
  uptime: uptimeCommand('Coordinator'),
  status: {
    says: 'Get the coordinator status.',
    options: { json },
    run: async (target, given, print) => {
      const text = await askText(target, 'GET', '/coordinator/status');
      if (given['json']) return printText(print, text);
      const { serverStartMs } = JSON.parse(text) as { serverStartMs: number };
      print(`Coordinator is running at ${target}.\n\tStart time: ${instantText(serverStartMs)}\n`);
      return 0;
    },
  },
  showTask,
  showTasks,
  createTask,
  stopTask: {
    says: 'Stop a task.',
    options: { id },
    run: async (target, given, print) => {
      const name = only(given, 'id');
      await askText(target, 'PUT', '/coordinator/task/stop', JSON.stringify({ id: name }));
      return printText(print, `Sent StopTaskRequest for task ${name}.`);
    },
  },
  destroyTask: {
    says: 'Destroy a task.',
    options: { id },
    run: async (target, given, print) => {
      const name = only(given, 'id');
      const query = new URLSearchParams({ taskId: name });
      await askText(target, 'DELETE', `/coordinator/tasks?${query.toString()}`);
      return printText(print, `Sent DestroyTaskRequest for task ${name}.`);
    },
  },
  shutdown: {
    says: 'Shut down the coordinator.',
    options: {},
    run: async (target, _given, print) => {
      await askText(target, 'PUT', '/coordinator/shutdown', '{"stopAgents":false}');
      return printText(print, 'Sent ShutdownRequest.');
    },
  },
};
