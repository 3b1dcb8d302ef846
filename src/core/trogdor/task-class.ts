import type { Static, TProperties, TObject } from 'typebox';
import type { Problem } from '../base/problem.ts';
import type { Need } from '../model/fault.ts';
import type { NodeName } from '../model/topology.ts';

/** A task's spec as it was read: defaults filled in, `class` the full Java name. */
export type TaskSpec = {
  class: string;
  /** ms since the epoch; the past means now. */
  startMs: number;
  durationMs: number;
  [field: string]: unknown;
};

/** A fault of ours that does what a task asks for, or a part of it. */
export interface TaskFault {
  kind: string;
  params: Record<string, unknown>;
  /** Absent where the kind names its own nodes. */
  targets?: NodeName[];
}

/** What a class that is a load is done by, instead of faults: a bench of core/workloads. */
export interface TaskLoad {
  /** Of the bench. */
  kind: string;
  params: Record<string, unknown>;
}

/** One agent without a coordinator of ours. */
export interface AgentHere {
  node: NodeName;
  /** The nodes that have an agent. */
  all: readonly NodeName[];
  /** Whether this node meets a need. */
  meets(need: Need): boolean;
}

/** What the status of a worker says; words that scripts know. */
export interface TaskWords {
  active: string;
  ended: string;
}

/**
 * One class of Trogdor's specs = one file in core/trogdor/classes: how its fields read, and which
 * faults they mean. Pure; everything else about a task is the same for all classes.
 */
export interface TaskClass<P extends TProperties = TProperties> {
  /** The file's name. */
  name: string;
  /** As `class` in JSON. */
  javaName: string;
  /** One line with a full stop. */
  summary: string;
  /** Its own fields, beside startMs and durationMs, with their defaults. */
  fields: TObject<P>;
  /** What the schema can't say: all problems, with paths from the spec. */
  check?(fields: Static<TObject<P>>): Problem[];
  /** The nodes that take part. `all`: every node with an agent. */
  nodes(fields: Static<TObject<P>>, all: readonly NodeName[]): NodeName[];
  faults(fields: Static<TObject<P>>, nodes: NodeName[], all: readonly NodeName[]): TaskFault[];
  /** On every node that takes part; a class that has it means no faults. */
  load?(fields: Static<TObject<P>>): TaskLoad;
  /** Fields that are shown although they are empty, and those that are shown as they came. */
  keepsEmpty?: readonly string[];
  opaque?: readonly string[];
  /** What one agent can do of it without a coordinator of ours; without it: the same. */
  faultsHere?(fields: Static<TObject<P>>, here: AgentHere): TaskFault[];
  words(taskId: string, fields: Static<TObject<P>>): TaskWords;
}

const SILENT: TaskWords = { active: '', ended: '' };

/** A class that is a load: its fields are the parameters of the bench. */
export function loadClass<P extends TProperties>(
  one: Omit<TaskClass<P>, 'faults' | 'words' | 'load'> & { bench: string },
): TaskClass {
  const { bench: kind, ...rest } = one;
  return taskClass<P>({
    ...rest,
    faults: () => [],
    load: (fields: object) => ({ kind, params: fields as Record<string, unknown> }),
    words: () => SILENT,
  });
}

/** The same class with its fields' type, for its own file; the registry forgets the type. */
export function taskClass<P extends TProperties>(one: TaskClass<P>): TaskClass {
  return one as unknown as TaskClass;
}
