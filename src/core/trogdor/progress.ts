import { endedEarly, hasEnded, type EndedBy, type State } from '../model/lifecycle.ts';

/** One fault of a task, as far as a task's state goes. */
export interface FaultView {
  state: State;
  firedAtMs?: number;
  endedAtMs?: number;
  endedBy?: EndedBy;
  /** All that went wrong, in one text. */
  error?: string;
}

/** Where all faults of a task stand together. */
export type Progress =
  | { phase: 'waiting' }
  | { phase: 'running' | 'stopping'; startedMs: number }
  | { phase: 'done'; startedMs?: number; doneMs: number; error?: string };

/** A fault that ended without anybody's asking, before its time, or not as it should. */
function errorOf(view: FaultView): string | undefined {
  if (view.state !== 'healed' && view.state !== 'cancelled') return view.error ?? view.state;
  return endedEarly(view.endedBy)
    ? (view.error ?? `it ended early, by ${view.endedBy}`)
    : undefined;
}

/**
 * Where a task's faults stand. It runs only once every one of them is active, which an agent says
 * after it has read its acts back.
 * @param atMs stands for the end of what was refused before anything began.
 */
export function progressOf(
  views: readonly FaultView[],
  isStopped: boolean,
  atMs: number,
): Progress {
  const fired = views.flatMap((view) => view.firedAtMs ?? []);
  const startedMs = fired.length === 0 ? undefined : Math.min(...fired);
  if (views.every((view) => hasEnded(view.state))) {
    const errors = [...new Set(views.flatMap((view) => errorOf(view) ?? []))];
    const doneMs = Math.max(...views.map((view) => view.endedAtMs ?? atMs));
    const done: Progress = { phase: 'done', doneMs };
    if (startedMs !== undefined) done.startedMs = startedMs;
    if (errors.length > 0) done.error = errors.join('; ');
    return done;
  }
  if (startedMs === undefined) return { phase: 'waiting' };
  const states = views.map((view) => view.state);
  if (!isStopped && states.every((state) => state === 'active'))
    return { phase: 'running', startedMs };
  const isEnding = states.some((s) => s === 'healing' || s === 'stuck' || hasEnded(s));
  return isStopped || isEnding ? { phase: 'stopping', startedMs } : { phase: 'waiting' };
}
