import { Type, type Static } from 'typebox';
import { invalid, under, valid, type Checked } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { Id } from '../model/topology.ts';
import { BENCHES, benchNamed } from './bench/registry.ts';

/** What the process of a bench is told. */
export const BenchSpec = Type.Object(
  {
    kind: Type.Enum(BENCHES.map(({ kind }) => kind)),
    run: Id,
    /** What whoever asked for it calls it: in the names of clients, and told to programs. */
    task: Type.String({ maxLength: 10_000 }),
    /** When it ends by itself, ms since the epoch: nobody need be there to tell it. */
    endAtMs: Type.Integer(),
    params: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
);
export type BenchSpec = Static<typeof BenchSpec>;

/** Whether a spec is a bench's, by its kind. */
export function isBenchDocument(document: unknown): boolean {
  const kind = (document as { kind?: unknown } | null)?.kind;
  return typeof kind === 'string' && benchNamed(kind) !== undefined;
}

/** Checks a spec whole, parameters included: every default must stand in them. */
export function checkBenchSpec(document: unknown): Checked<BenchSpec> {
  const spec = checkSchema(BenchSpec, document);
  if (!spec.ok) return spec;
  const one = benchNamed(spec.value.kind);
  const params = one && checkSchema(one.fields, spec.value.params);
  const problems = params?.ok === false ? params.problems : (one?.check(spec.value.params) ?? []);
  return problems.length === 0 ? valid(spec.value) : invalid(...under('/params', problems));
}

/** status.json of a bench: replaced as a whole about twice a second. */
export interface BenchStatus {
  kind: string;
  run: string;
  phase: 'starting' | 'running' | 'closed' | 'failed';
  /** Why it has failed. */
  error?: string;
  /** Milliseconds since the epoch. */
  updatedAtMs: number;
  startedAtMs: number;
  endedAtMs?: number;
  /** What it counts and times, in the members of Trogdor's status; words while it begins. */
  status: unknown;
}
