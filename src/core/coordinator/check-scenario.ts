import { parseDuration } from '../base/duration.ts';
import { invalid, under, valid, type Checked, type Problem } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { checkNames } from '../checkers/registry.ts';
import { checkFault, kindNamed } from '../faults/registry.ts';
import { Scenario, type PlannedFault } from '../model/scenario.ts';
import type { Topology } from '../model/topology.ts';
import { MOST_REPEATS } from '../schedule/planned.ts';
import { WORKLOADS, workloadNamed } from '../workloads/registry.ts';
import { checkDraw, checkDrawParts } from './check-draw.ts';
import { checkFaultParts } from './check-fault-parts.ts';
import { checkRatio, checkTargets, unknownName } from './check-parts.ts';

/**
 * Everything that is wrong with a scenario document: its shape, and what shapes cannot say. Parts
 * whose shape is right are looked into even where others are wrong, so that all comes at once.
 * @param topology the nodes it will run on; their names are checked against it.
 * @returns the scenario, or every problem with paths from the document.
 */
export function checkScenario(document: unknown, topology: Topology): Checked<Scenario> {
  const shape = checkSchema(Scenario, document);
  const problems = shape.ok ? [] : [...shape.problems];
  const wrong = [...problems];
  const fine = (path: string): boolean =>
    !wrong.some((problem) => `${problem.path}/`.startsWith(`${path}/`));
  problems.push(...checkMeaning(document, topology, fine));
  return shape.ok && problems.length === 0 ? valid(shape.value) : invalid(...problems);
}

/**
 * What the schema cannot say of a scenario, whatever else is wrong with its shape.
 * @param fine whether the shape of the part at a path ('/faults/0') is right.
 */
export function checkMeaning(
  document: unknown,
  topology: Topology,
  fine: (path: string) => boolean,
): Problem[] {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return [];
  const scenario = document as Scenario;
  const problems: Problem[] = [];
  const lengthMs = fine('/duration') ? parseDuration(scenario.duration ?? '') : undefined;
  if (lengthMs === 0) problems.push({ path: '/duration', message: 'a run of no time at all' });
  if (scenario.cluster?.file !== undefined && scenario.cluster.lab !== undefined) {
    problems.push({ path: '/cluster', message: "either 'file' or 'lab', not both" });
  }
  if (['/cluster', '/faults', '/draw'].every(fine)) problems.push(...checkDisks(scenario));
  const ofWorkload = (part: string): boolean => fine(`/workload${part}`);
  problems.push(...under('/workload', checkWorkload(scenario.workload, topology, ofWorkload)));
  const faults: unknown = scenario.faults ?? [];
  for (const [index, planned] of (Array.isArray(faults) ? faults : []).entries()) {
    const path = `/faults/${index}`;
    const found = checkPlannedParts(planned, topology, (part) => fine(path + part), lengthMs);
    problems.push(...under(path, found));
  }
  if (fine('/faults')) problems.push(...checkIds(scenario.faults ?? []));
  if (scenario.draw !== undefined && fine('/draw')) {
    problems.push(...under('/draw', checkDraw(scenario.draw, topology, lengthMs)));
  } else {
    const fineIn = (part: string): boolean => fine(`/draw${part}`);
    problems.push(...under('/draw', checkDrawParts(scenario.draw, topology, fineIn)));
  }
  if (fine('/checks')) problems.push(...checkChecks(scenario.checks ?? []));
  if (fine('/limits/roleShare'))
    problems.push(...checkRatio('/limits/roleShare', scenario.limits?.roleShare));
  return problems;
}

/** A lab without our file system, and a kind that is nothing without it. */
function checkDisks({ cluster, faults, draw }: Scenario): Problem[] {
  if (cluster?.lab?.disks !== 0) return [];
  const parts: { kind: string }[] = [...(faults ?? []), ...(draw?.kinds ?? [])];
  const isNeedy = (kind: string): boolean => {
    const needs = kindNamed(kind)?.needs ?? [];
    return needs.length > 0 && needs.every((set) => set.includes('disk.mount'));
  };
  const needy = [...new Set(parts.map(({ kind }) => kind))].filter(isNeedy);
  if (needy.length === 0) return [];
  return [
    {
      path: '/cluster/lab/disks',
      message: `${needy.join(', ')} happens on Faultline's file system, and this lab has none`,
      found: '0',
      expected: '1 or 2',
    },
  ];
}

function checkWorkload(
  workload: Partial<NonNullable<Scenario['workload']>> | undefined,
  topology: Topology,
  fine: (part: string) => boolean,
): Problem[] {
  const { kind, params = {}, on } = workload ?? {};
  const problems: Problem[] = [];
  if (kind !== undefined && fine('/kind')) {
    const known = workloadNamed(kind);
    const names = WORKLOADS.map((each) => each.kind);
    if (!known) problems.push(unknownName('/kind', 'workload', kind, names));
    else if (fine('/params')) problems.push(...under('/params', known.check(params)));
  }
  if (on !== undefined && fine('/on')) problems.push(...under('/on', checkTargets(on, topology)));
  return problems;
}

function checkPlanned(planned: PlannedFault, topology: Topology, lengthMs?: number): Problem[] {
  const problems = checkFault(planned, topology);
  if (planned.targets !== undefined) {
    problems.push(...under('/targets', checkTargets(planned.targets, topology)));
  }
  const atMs = parseDuration(planned.at);
  if (atMs !== undefined && lengthMs !== undefined && atMs >= lengthMs) {
    problems.push({
      path: '/at',
      message: 'the run is over by then',
      found: planned.at,
      expected: "less than the scenario's duration",
    });
  }
  problems.push(...under('/every', checkRepeats(planned, lengthMs)));
  return problems;
}

function checkRepeats({ every, at }: PlannedFault, lengthMs = 0): Problem[] {
  if (every === undefined) return [];
  const everyMs = parseDuration(every) ?? 0;
  if (everyMs === 0) return [{ path: '', message: 'nothing is repeated without any time between' }];
  const times = Math.ceil((lengthMs - (parseDuration(at) ?? 0)) / everyMs);
  if (times <= MOST_REPEATS) return [];
  return [{ path: '', message: `${times} times; at most ${MOST_REPEATS}`, found: every }];
}

/** Of a planned fault whose shape is wrong somewhere: what is wrong with the parts that are right. */
function checkPlannedParts(
  planned: unknown,
  topology: Topology,
  fine: (part: string) => boolean,
  lengthMs: number | undefined,
): Problem[] {
  if (fine('')) return checkPlanned(planned as PlannedFault, topology, lengthMs);
  return checkFaultParts(planned, topology, fine);
}

function checkChecks(checks: readonly string[]): Problem[] {
  const known = checkNames();
  return checks.flatMap((name, index): Problem[] =>
    known.includes(name) ? [] : [unknownName(`/checks/${index}`, 'checker', name, known)],
  );
}

function checkIds(faults: readonly PlannedFault[]): Problem[] {
  const seen = new Map<string, number>();
  return faults.flatMap(({ id }, index): Problem[] => {
    if (id === undefined) return [];
    const before = seen.get(id);
    seen.set(id, index);
    if (before === undefined) return [];
    return [
      { path: `/faults/${index}/id`, message: `'${id}' is the id of /faults/${before} already` },
    ];
  });
}
