import { invalid, valid, type Checked, type Problem } from '../base/problem.ts';
import { TASK_STATES, type TaskState, type TaskStateName } from './task.ts';

/** What GET /coordinator/tasks is asked for; absent and 0: all. */
export interface TaskFilter {
  ids: string[];
  firstStartMs: number;
  lastStartMs: number;
  firstEndMs: number;
  lastEndMs: number;
  state?: TaskStateName;
}

const INSTANTS = ['firstStartMs', 'lastStartMs', 'firstEndMs', 'lastEndMs'] as const;

/** Reads the query. @param of all values of a parameter. */
export function readFilter(of: (name: string) => readonly string[]): Checked<TaskFilter> {
  const problems: Problem[] = [];
  const filter: TaskFilter = {
    ids: [...of('taskId')],
    firstStartMs: 0,
    lastStartMs: 0,
    firstEndMs: 0,
    lastEndMs: 0,
  };
  for (const name of INSTANTS) {
    const [text = '0'] = of(name);
    if (/^-?[0-9]{1,15}$/.test(text)) filter[name] = Number(text);
    else problems.push({ path: `?${name}`, message: 'not a number of milliseconds', found: text });
  }
  const [state = ''] = of('state');
  const found = TASK_STATES.find((each) => each === state);
  if (found) filter.state = found;
  else if (state !== '')
    problems.push({
      path: '?state',
      message: `State ${state} is invalid`,
      expected: `one of [${TASK_STATES.join(', ')}]`,
    });
  return problems.length > 0 ? invalid(...problems) : valid(filter);
}

/** A bound of 0 is none; what has not started (or ended) has no instant that could be within one. */
function within(firstMs: number, lastMs: number, atMs: number): boolean {
  return (firstMs <= 0 || atMs >= firstMs) && (lastMs <= 0 || (atMs >= 0 && atMs <= lastMs));
}

export function matchesFilter(filter: TaskFilter, id: string, task: TaskState): boolean {
  if (filter.ids.length > 0 && !filter.ids.includes(id)) return false;
  if (filter.state !== undefined && filter.state !== task.state) return false;
  return (
    within(filter.firstStartMs, filter.lastStartMs, task.startedMs ?? -1) &&
    within(filter.firstEndMs, filter.lastEndMs, task.doneMs ?? -1)
  );
}
