import { leftOffline } from './log-directories.ts';
import { endedEarly } from '../model/lifecycle.ts';
import type { FaultStatus } from '../model/fault-status.ts';
import type { FaultInterval } from '../model/history.ts';
import type { RunStatus } from '../model/run.ts';
import { NO_COUNTS, type Anomaly, type Verdict } from '../model/verdict.ts';
import { parseInstant } from '../base/instant.ts';

/** The faults of a run as stretches of time, for the history; those that never fired are not in it. */
export function intervalsOf(faults: readonly FaultStatus[]): FaultInterval[] {
  return faults.flatMap((fault): FaultInterval[] => {
    const beganMs = fault.firedAt === undefined ? undefined : parseInstant(fault.firedAt);
    if (beganMs === undefined) return [];
    const { id, kind, targets } = fault;
    const endedMs = fault.endedAt === undefined ? undefined : parseInstant(fault.endedAt);
    return [{ id, kind, targets, beganMs, ...(endedMs === undefined ? {} : { endedMs }) }];
  });
}

function notRecovered(run: RunStatus): Anomaly[] {
  if (run.recovery === undefined || run.recovery.recovered) return [];
  const says = `after everything was healed the cluster was ${run.recovery.says}`;
  return [{ kind: 'notRecovered', checker: 'run', count: 1, examples: [{ says }], counts: true }];
}

/** What a log directory that is offline explains. */
const AWAY: readonly string[] = ['notRecovered', 'noProgress'];

function saysOffline(node: string, fault: string): string {
  const until = 'which it stays until its broker is started again';
  return `${fault} took a log directory of ${node} offline, ${until}`;
}

/**
 * What the run itself knows and no history shows: a cluster that did not become whole again is an
 * anomaly; a fault that ended early, or failed once it had fired, leaves nothing better than `unknown`.
 * One that never fired is told, and nothing rests on it; where none did, nothing was tried.
 */
export function withRun(verdict: Verdict, run: RunStatus, faults: readonly FaultStatus[]): Verdict {
  const reasons = [...verdict.reasons];
  let doubtful = false;
  for (const { id, endedBy, state, kind, nodes, firedAt } of faults) {
    if (endedEarly(endedBy)) {
      doubtful = true;
      reasons.push(`fault ${id} (${kind}) ended early, by ${endedBy}`);
    } else if (state === 'failed' || state === 'missed') {
      doubtful ||= state === 'failed' && firedAt !== undefined;
      const error = Object.values(nodes).find((node) => node.error !== undefined)?.error;
      reasons.push(`fault ${id} (${kind}) ${state}${error === undefined ? '' : `: ${error}`}`);
    }
  }
  for (const { id, kind, reason } of run.skipped) {
    reasons.push(`fault ${id} (${kind}) was skipped: ${reason}`);
  }
  if (run.schedule.faults.length > 0 && faults.every(({ firedAt }) => firedAt === undefined)) {
    doubtful = true;
    reasons.push('no fault of the schedule was ever in force');
  }
  const found = [...verdict.anomalies, ...notRecovered(run)];
  for (const { examples } of notRecovered(run)) reasons.push(examples[0]?.says ?? '');
  const offline = leftOffline(faults);
  const anomalies = offline.length === 0 ? found : found.filter(({ kind }) => !AWAY.includes(kind));
  if (anomalies.length < found.length) {
    doubtful = true;
    for (const { node, fault } of offline) reasons.push(saysOffline(node, fault));
  }
  const wrong = anomalies.some(({ counts }) => counts);
  const word = wrong ? 'invalid' : doubtful ? 'unknown' : verdict.verdict;
  return { ...verdict, verdict: word, reasons, anomalies };
}

/** A verdict where the checkers could not be heard. */
export function unknownVerdict(reason: string): Verdict {
  return {
    verdict: 'unknown',
    reasons: [reason],
    anomalies: [],
    checks: {},
    counts: NO_COUNTS,
    availability: {
      thresholdMs: 0,
      windows: [],
      count: 0,
      longestSendMs: 0,
      longestPollMs: 0,
      withoutFault: 0,
    },
    recovery: { never: [] },
  };
}
