import { parseDuration } from '../base/duration.ts';
import { nearMiss } from '../base/near-miss.ts';
import { under, type Problem } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import type { FaultKind } from '../model/fault.ts';
import type { Topology } from '../model/topology.ts';
import { cpuLoad } from './cpu.load.ts';
import { diskCorrupt } from './disk.corrupt.ts';
import { diskDelay } from './disk.delay.ts';
import { diskError } from './disk.error.ts';
import { diskFill } from './disk.fill.ts';
import { diskFlip } from './disk.flip.ts';
import { diskFsync } from './disk.fsync.ts';
import { diskFull } from './disk.full.ts';
import { diskGone } from './disk.gone.ts';
import { diskLost } from './disk.lost.ts';
import { diskMisdirected } from './disk.misdirected.ts';
import { diskPowercut } from './disk.powercut.ts';
import { diskRate } from './disk.rate.ts';
import { diskReadonly } from './disk.readonly.ts';
import { diskShort } from './disk.short.ts';
import { diskStale } from './disk.stale.ts';
import { diskStall } from './disk.stall.ts';
import { diskTorn } from './disk.torn.ts';
import { kafkaRequest } from './kafka.request.ts';
import { networkCorrupt } from './network.corrupt.ts';
import { networkDelay } from './network.delay.ts';
import { networkDns } from './network.dns.ts';
import { networkDuplicate } from './network.duplicate.ts';
import { networkLoss } from './network.loss.ts';
import { networkPartition } from './network.partition.ts';
import { networkRate } from './network.rate.ts';
import { networkReorder } from './network.reorder.ts';
import { networkReset } from './network.reset.ts';
import { noop } from './noop.ts';
import { processKill } from './process.kill.ts';
import { processPause } from './process.pause.ts';

/** Every fault kind, by name. A test holds this list against the folder. */
export const KINDS: readonly FaultKind[] = [
  cpuLoad,
  diskCorrupt,
  diskDelay,
  diskError,
  diskFill,
  diskFlip,
  diskFsync,
  diskFull,
  diskGone,
  diskLost,
  diskMisdirected,
  diskPowercut,
  diskRate,
  diskReadonly,
  diskShort,
  diskStale,
  diskStall,
  diskTorn,
  kafkaRequest,
  networkCorrupt,
  networkDelay,
  networkDns,
  networkDuplicate,
  networkLoss,
  networkPartition,
  networkRate,
  networkReorder,
  networkReset,
  noop,
  processKill,
  processPause,
];

export function kindNamed(name: string): FaultKind | undefined {
  return KINDS.find((kind) => kind.kind === name);
}

/** Whether a fault of this kind with these (valid) parameters stays in force until healed. */
export function stands(kind: FaultKind, params: Readonly<Record<string, unknown>>): boolean {
  return kind.stands?.(params) ?? kind.standing;
}

/** Whether a request must, may or must not have `targets`. Parameters are valid. */
export function targetsOf(
  kind: FaultKind,
  params: Readonly<Record<string, unknown>>,
): 'required' | 'optional' | 'none' {
  return kind.takesTargets?.(params) ?? (kind.namesNodes ? 'none' : 'required');
}

/** The parts of a request, to a coordinator or to an agent, that its kind has a say in. */
export interface RequestedFault {
  kind: string;
  targets?: string | string[];
  params?: Record<string, unknown>;
  duration?: string;
  lease?: string;
  every?: string;
}

/**
 * All that is wrong with a request as far as its kind can tell, before any node is asked. Whether a
 * selector is one, and whom it names, is not checked here.
 * @returns problems with paths from the request; none: the fault can be planned.
 */
export function checkFault(request: RequestedFault, topology: Topology): Problem[] {
  const kind = kindNamed(request.kind);
  if (!kind) return [unknownKind(request.kind), ...checkTimes(request)];
  const params = request.params ?? {};
  const checked = checkSchema(kind.params, params);
  if (!checked.ok) return [...under('/params', checked.problems), ...checkTimes(request)];
  return [
    ...under('/params', kind.check?.(params, topology) ?? []),
    ...checkTargets(kind, params, request.targets),
    ...checkTimes(request, stands(kind, params)),
  ];
}

function unknownKind(name: string): Problem {
  const names = KINDS.map((kind) => kind.kind);
  const near = nearMiss(name, names);
  const problem: Problem = { path: '/kind', message: `there is no fault kind '${name}'` };
  if (near === undefined) problem.expected = `one of ${names.join(', ')}`;
  else problem.nearMiss = near;
  return problem;
}

function checkTargets(
  kind: FaultKind,
  params: Record<string, unknown>,
  targets: string | string[] | undefined,
): Problem[] {
  const wanted = targetsOf(kind, params);
  if (wanted === 'required' && targets === undefined) {
    return [
      { path: '/targets', message: `'targets' is missing: ${kind.kind} needs to know where` },
    ];
  }
  if (wanted === 'none' && targets !== undefined) {
    return [
      {
        path: '/targets',
        message: `${kind.kind} with these parameters names its own nodes and takes no 'targets'`,
      },
    ];
  }
  return [];
}

/** Durations are valid text (the request's own schema saw to that), or are passed over here. */
function checkTimes(request: RequestedFault, standing = true): Problem[] {
  const problems: Problem[] = [];
  const durationMs = request.duration === undefined ? undefined : parseDuration(request.duration);
  const everyMs = request.every === undefined ? undefined : parseDuration(request.every);
  if (durationMs === 0)
    problems.push({ path: '/duration', message: 'a duration must be over zero' });
  if (!standing && durationMs !== undefined) {
    problems.push({
      path: '/duration',
      message: `${request.kind} with these parameters happens once: it takes no 'duration'`,
    });
  }
  if (standing && request.lease === 'none' && request.duration === undefined) {
    problems.push({
      path: '/duration',
      message: `'duration' is missing: with lease 'none' nothing else would end the fault`,
    });
  }
  if (standing && everyMs !== undefined && (durationMs === undefined || durationMs >= everyMs)) {
    problems.push({
      path: '/duration',
      message: `with 'every', a fault needs a 'duration' shorter than that`,
      found: request.duration ?? 'nothing',
      expected: `less than ${request.every}`,
    });
  }
  return problems;
}
