import { Type, type Static } from 'typebox';
import { Duration, durationMs } from '../../base/duration.ts';
import type { Problem } from '../../base/problem.ts';
import type { Facts, Here, Step } from '../../model/fault.ts';
import type { ProcessMatch } from '../../model/process-match.ts';
import {
  areProblems,
  checkMatch,
  DEFAULT_MATCH,
  refsOf,
  selectProcesses,
  serviceFact,
} from '../../model/process-selection.ts';

/** When what was killed is started again. */
export const restartField = Type.Optional(
  Type.Union(
    [
      Type.Enum(['never', 'heal']),
      Type.Object({ after: Duration }, { additionalProperties: false }),
    ],
    {
      title: 'restart',
      description:
        "'never', 'heal' (when the fault ends) or {after: '5s'}; default 'heal' where the agent knows how to start the service",
    },
  ),
);
type Restart = Static<typeof restartField>;

export interface Killing {
  process?: ProcessMatch;
  restart?: Restart;
}

export function matchOf(params: Killing): ProcessMatch {
  return params.process ?? DEFAULT_MATCH;
}

export function checkKilling(params: Killing): Problem[] {
  const problems = checkMatch(params.process);
  const asked = params.restart !== undefined && params.restart !== 'never';
  if (asked && matchOf(params).service === undefined) {
    problems.push({
      path: '/restart',
      message: `only a 'service' of the agent's configuration can be started again`,
      expected: `'process.service', or restart 'never'`,
    });
  }
  return problems;
}

/** Whether something is left to be undone: a service to be started again. */
export function killingStands(params: Killing): boolean {
  if (params.restart === undefined) return matchOf(params).service !== undefined;
  return params.restart !== 'never';
}

/** The kill, and the start where one comes before the fault ends. `facts` begin with the processes. */
export function planKill(
  params: Killing,
  signal: 'SIGKILL' | 'SIGTERM',
  here: Here,
  facts: Facts,
): { kill: Step; start?: Step } | Problem[] {
  const match = matchOf(params);
  const selected = selectProcesses(match, facts);
  const startable = serviceFact(facts)?.startable === true;
  const restart = params.restart ?? (startable ? 'heal' : 'never');
  if (restart !== 'never' && !startable) {
    const problem = {
      path: '/restart',
      message: `the agent's configuration does not say how to start service '${match.service}'`,
      expected: `'start' for that service in the agent's configuration, or restart 'never'`,
    };
    return [...(areProblems(selected) ? selected : []), problem];
  }
  if (areProblems(selected)) return selected;
  const service = match.service ?? '';
  const processes = refsOf(selected);
  // A SIGKILL is obeyed at once; a controlled shutdown may outlast the fault.
  const note = signal === 'SIGTERM' && restart !== 'never' ? here.token : undefined;
  const again = {
    act: 'service.start' as const,
    service,
    ...(note === undefined ? {} : { ending: { note, processes } }),
  };
  const kill: Step = {
    says: `${signal} to ${selected.map((one) => `pid ${one.process.pid}`).join(', ')}`,
    act: { act: 'process.signal', processes, signal, ...(note === undefined ? {} : { note }) },
    undo: restart === 'never' ? { irreversible: 'nobody starts it again' } : again,
  };
  if (typeof restart === 'string') return { kill };
  const start: Step = {
    says: `start '${service}' again after ${restart.after}`,
    act: again,
    undo: { irreversible: 'it stays started' },
    afterMs: durationMs(restart.after),
  };
  return { kill, start };
}
