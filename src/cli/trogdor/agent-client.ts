import { readWorkerId } from '../../core/trogdor/worker-id.ts';
import { askText } from './ask.ts';
import { specText, TrogdorCliError, type Given, type Option } from './arguments.ts';
import { json, only, printText, uptimeCommand, type TrogdorCommand } from './command.ts';
import { gridText, instantText } from './format.ts';

const workerId: Option = { required: true, says: 'the worker ID, a whole number' };

/** All digits: the number stands in JSON as it was given. @throws TrogdorCliError */
function idOf(given: Given): string {
  const id = readWorkerId(only(given, 'workerId'), '');
  if (id.ok) return id.value;
  throw new TrogdorCliError(`--workerId ${only(given, 'workerId')} is no worker id`);
}

interface Worker {
  state: string;
  taskId: string;
  spec: { class: string };
}

/** 'RUNNING' as Trogdor's client calls it: WorkerRunning. */
const stateName = (state: string): string => `Worker${state[0]}${state.slice(1).toLowerCase()}`;

export const AGENT_COMMANDS: Readonly<Record<string, TrogdorCommand>> = {
  uptime: uptimeCommand('Agent'),
  status: {
    says: 'Get the agent status.',
    options: { json },
    run: async (target, given, print) => {
      const text = await askText(target, 'GET', '/agent/status');
      if (given['json']) return printText(print, text);
      const status = JSON.parse(text) as {
        serverStartMs: number;
        workers?: Record<string, Worker>;
      };
      print(`Agent is running at ${target}.\n\tStart time: ${instantText(status.serverStartMs)}\n`);
      const rows = Object.entries(status.workers ?? {}).map(([id, { state, taskId, spec }]) => [
        id,
        taskId,
        stateName(state),
        spec.class,
      ]);
      print(gridText([['WORKER_ID', 'TASK_ID', 'STATE', 'TASK_TYPE'], ...rows]));
      return 0;
    },
  },
  createWorker: {
    says: 'Create a new worker.',
    options: {
      workerId,
      taskId: { required: true, says: 'the task ID' },
      spec: { short: 's', required: true, says: 'the task spec, or a path to a file with it' },
    },
    run: async (target, given, print) => {
      const id = idOf(given);
      const task = JSON.stringify(only(given, 'taskId'));
      const spec = specText(only(given, 'spec'));
      const body = `{"workerId":${id},"taskId":${task},"spec":${spec}\n}`;
      await askText(target, 'POST', '/agent/worker/create', body);
      return printText(print, `Sent CreateWorkerRequest for worker ${id}.`);
    },
  },
  stopWorker: {
    says: 'Stop a worker.',
    options: { workerId },
    run: async (target, given, print) => {
      const id = idOf(given);
      await askText(target, 'PUT', '/agent/worker/stop', `{"workerId":${id}}`);
      return printText(print, `Sent StopWorkerRequest for worker ${id}.`);
    },
  },
  destroyWorker: {
    says: 'Destroy a worker.',
    options: { workerId },
    run: async (target, given, print) => {
      const id = idOf(given);
      await askText(target, 'DELETE', `/agent/worker?workerId=${id}`);
      return printText(print, `Sent DestroyWorkerRequest for worker ${id}.`);
    },
  },
  shutdown: {
    says: 'Shut down the agent.',
    options: {},
    run: async (target, _given, print) => {
      await askText(target, 'PUT', '/agent/shutdown');
      return printText(print, 'Sent ShutdownRequest.');
    },
  },
};
