import { Type } from 'typebox';
import { nearMiss } from '../base/near-miss.ts';
import { invalid, valid, type Checked, type Problem } from '../base/problem.ts';
import { checkSchema, quoted } from '../base/schema.ts';
import type { NodeName } from '../model/topology.ts';
import { coerce, withoutEmpty } from './coerce.ts';
import { shortNameOf, TASK_CLASSES, taskClassNamed } from './registry.ts';
import type {
  AgentHere,
  TaskClass,
  TaskFault,
  TaskLoad,
  TaskSpec,
  TaskWords,
} from './task-class.ts';

/** Trogdor takes 31 700 years; of ours, ten are the longest there can be. */
const DURATION_MAX_MS = 3_650 * 86_400_000;

const Times = {
  startMs: Type.Integer({ default: 0 }),
  durationMs: Type.Integer({ default: 0 }),
};

/** A spec whose class is none that is known: Trogdor tells it from other mistakes by its code, 501. */
export interface UnknownClass {
  unknownClass: Problem;
}

/**
 * Reads a spec: by its class, with the leniency of Trogdor's own reader.
 * @returns the spec, all its problems with paths from the spec, or that nobody knows its class.
 */
export function readSpec(raw: unknown): Checked<TaskSpec> | UnknownClass {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return invalid({ path: '', message: 'a spec is an object', found: quoted(raw) });
  const { class: name, ...rest } = raw as Record<string, unknown>;
  const one = typeof name === 'string' ? taskClassNamed(name) : undefined;
  if (!one) return { unknownClass: unknownClass(name) };
  const schema = Type.Object(
    { ...Times, ...one.fields.properties },
    { additionalProperties: false },
  );
  const read = coerce(schema, rest) as TaskSpec;
  const checked = checkSchema(schema, read);
  if (!checked.ok) return checked;
  const problems = one.check?.(read) ?? [];
  if (problems.length > 0) return invalid(...problems);
  const durationMs = Math.min(Math.max(read.durationMs, 0), DURATION_MAX_MS);
  return valid({ ...read, class: one.javaName, durationMs });
}

function unknownClass(name: unknown): Problem {
  if (typeof name !== 'string') return { path: '/class', message: "'class' is missing" };
  const known = TASK_CLASSES.flatMap((one) => [one.javaName, shortNameOf(one)]);
  const near = nearMiss(name, known);
  const problem: Problem = { path: '/class', message: `there is no class '${name}'` };
  if (near === undefined) problem.expected = `one of ${TASK_CLASSES.map(shortNameOf).join(', ')}`;
  else problem.nearMiss = near;
  return problem;
}

/** Its class; a spec that was read has one. */
function classOf(spec: TaskSpec): TaskClass {
  const one = taskClassNamed(spec.class);
  if (!one) throw new Error(`spec of unknown class ${spec.class}`);
  return one;
}

/** What a class is asked with: the spec's own fields. */
function fieldsOf(spec: TaskSpec): Record<string, unknown> {
  const { class: _class, startMs: _startMs, durationMs: _durationMs, ...fields } = spec;
  return fields;
}

/** As it is shown: Trogdor's order of members, empty ones left out. */
export function shownSpec(spec: TaskSpec, startMs: number): unknown {
  const { class: name, durationMs } = spec;
  const { keepsEmpty = [], opaque = [] } = classOf(spec);
  const fields = fieldsOf(spec);
  const shown = withoutEmpty(fields) as Record<string, unknown>;
  for (const field of keepsEmpty) shown[field] ??= {};
  for (const field of opaque) shown[field] = fields[field];
  return { class: name, startMs, durationMs, ...shown };
}

/** The names of the nodes that take part, each once, sorted. `all`: those that have an agent. */
export function nodesOf(spec: TaskSpec, all: readonly NodeName[]): NodeName[] {
  return [...new Set(classOf(spec).nodes(fieldsOf(spec), all))].sort();
}

/** The faults it means. `all`: the nodes that have an agent. */
export function faultsOf(spec: TaskSpec, all: readonly NodeName[]): TaskFault[] {
  return classOf(spec).faults(fieldsOf(spec), nodesOf(spec, all), all);
}

/** The load it means, where its class is one. */
export function loadOf(spec: TaskSpec): TaskLoad | undefined {
  return classOf(spec).load?.(fieldsOf(spec));
}

/** What this node's agent can do of it alone. */
export function faultsHere(spec: TaskSpec, here: AgentHere): TaskFault[] {
  return classOf(spec).faultsHere?.(fieldsOf(spec), here) ?? faultsOf(spec, here.all);
}

export function wordsOf(taskId: string, spec: TaskSpec): TaskWords {
  return classOf(spec).words(taskId, fieldsOf(spec));
}
