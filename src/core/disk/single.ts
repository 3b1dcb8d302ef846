import { Type, type Static } from 'typebox';
import { invalid, valid, type Checked, type Problem } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { checkSpecification } from './check.ts';
import type { Fault } from './specification.ts';

const Milliseconds = Type.Integer({ minimum: 1, maximum: 2 ** 42 });

/** How long a fault set by itself stands: both from now on, both kept by the file system alone. */
export const Terms = Type.Object(
  {
    /** It ends after this long, whatever happens; without one it has no end of its own. */
    deadlineMs: Type.Optional(Milliseconds),
    /** It ends after this long without a renewal; without one it needs none. */
    leaseMs: Type.Optional(Milliseconds),
  },
  { additionalProperties: false },
);
export type Terms = Static<typeof Terms>;

const Single = Type.Object(
  {
    ...Terms.properties,
    /** Whose it is: a word for people and for whoever looks for its own. */
    owner: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    /** What was not fsynced is known as long as this stands; then it needs no `fault`. */
    trackUnsynced: Type.Optional(Type.Boolean()),
    match: Type.Optional(Type.Unknown()),
    when: Type.Optional(Type.Unknown()),
    fault: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false },
);

/** A fault that was set by its id, beside the others. */
export interface SingleFault extends Terms {
  owner: string;
  seed: number;
  trackUnsynced: boolean;
  fault: Fault | undefined;
}

/** Reads what is to stand under an id; all problems at once. */
export function checkSingle(id: string, document: unknown): Checked<SingleFault> {
  const shape = checkSchema(Single, document);
  const { match, when, fault } = (document ?? {}) as Record<string, unknown>;
  const tracks = (document as { trackUnsynced?: unknown } | null)?.trackUnsynced === true;
  const entry = Object.fromEntries(
    Object.entries({ id, match, when, fault }).filter(([, value]) => value !== undefined),
  );
  const isEmpty = tracks && [match, when, fault].every((part) => part === undefined);
  // The id is checked even where there is no fault to check.
  const checked = isEmpty ? { ...entry, fault: { kind: 'stall' } } : entry;
  const whole = checkSpecification({ version: 1, faults: [checked] });
  const problems: Problem[] = shape.ok ? [] : [...shape.problems];
  if (!whole.ok) {
    for (const problem of whole.problems) {
      problems.push({ ...problem, path: problem.path.replace('/faults/0', '') });
    }
  }
  if (!shape.ok || !whole.ok) return invalid(...problems);
  const { owner = '', seed = 0, deadlineMs, leaseMs } = shape.value;
  return valid({
    owner,
    seed,
    trackUnsynced: tracks,
    fault: isEmpty ? undefined : whole.value.faults[0],
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });
}
