import { Type, type Static } from 'typebox';
import { invalid, valid, type Checked, type Problem } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { ERRNO, ERRNO_NAMES, type Errno } from './errno.ts';
import type { DiskSpecification, Effect, Fault, When } from './specification.ts';

/*
 * The documents of Kibosh (confluentinc/kibosh, fault.c), read as ours. Fields it doesn't know it
 * ignores, and so do we; a field it knows is checked. Of several faults that match one request only
 * the first applies. Paths begin with '/'.
 */

const place = { prefix: Type.Optional(Type.String()), suffix: Type.Optional(Type.String()) };
const Code = Type.Integer({ minimum: -511, maximum: 511 });

const FAULTS = {
  /** Trogdor's FilesUnreadableFault says errorCode where Kibosh says code. */
  error: Type.Object({
    ...place,
    code: Type.Optional(Code),
    errorCode: Type.Optional(Code),
  }),
  delay: Type.Object({
    ...place,
    delay_ms: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
    fraction: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  }),
  corrupt: Type.Object({
    ...place,
    mode: Type.Enum([1000, 1001, 1100, 1101, 1200]),
    fraction: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    count: Type.Optional(Type.Integer({ minimum: -0x80000000, maximum: 0x7fffffff })),
  }),
};

const SHAPES = {
  unreadable: { op: 'read', what: 'error' },
  unwritable: { op: 'write', what: 'error' },
  read_delay: { op: 'read', what: 'delay' },
  write_delay: { op: 'write', what: 'delay' },
  read_corrupt: { op: 'read', what: 'corrupt' },
  write_corrupt: { op: 'write', what: 'corrupt' },
} as const;
type KiboshType = keyof typeof SHAPES;

const Document = Type.Object({
  faults: Type.Optional(
    Type.Array(Type.Object({ type: Type.Enum(Object.keys(SHAPES) as KiboshType[]) }), {
      maxItems: 500,
    }),
  ),
});

/** What Kibosh's control file holds before anything was written to it. */
export const KIBOSH_NOTHING = '{"faults":[]}';

/** Reads a document of Kibosh's control file, or says all that is wrong with it. */
export function parseKibosh(text: string, seed = 0): Checked<DiskSpecification> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return invalid({ path: '', message: `not JSON: ${(error as Error).message}` });
  }
  const shape = checkSchema(Document, document);
  if (!shape.ok) return shape;
  const problems: Problem[] = [];
  const faults: Fault[] = [];
  const earlier: Record<'read' | 'write', string[]> = { read: [], write: [] };
  for (const [index, entry] of (shape.value.faults ?? []).entries()) {
    const { op, what } = SHAPES[entry.type];
    const checked = checkSchema(FAULTS[what], entry);
    if (!checked.ok) {
      for (const problem of checked.problems) {
        problems.push({ ...problem, path: `/faults/${index}${problem.path}` });
      }
      continue;
    }
    const made = effects(what, entry);
    if (made === undefined) {
      problems.push({ path: `/faults/${index}/code`, message: 'an error number is needed here' });
      continue;
    }
    const path = globOf(checked.value);
    const notPath = earlier[op].length === 0 ? undefined : [...earlier[op]].slice(-100);
    for (const [part, { fault, when }] of made.entries()) {
      const match = { path: [path], op: [op], ...(notPath === undefined ? {} : { notPath }) };
      faults.push({ id: `kibosh-${index}-${part}`, match, when, fault });
    }
    earlier[op].push(path);
  }
  return problems.length > 0 ? invalid(...problems) : valid({ version: 1, seed, faults });
}

function globOf(fault: { prefix?: string; suffix?: string }): string {
  const literal = (text: string): string => text.replaceAll(/[\\*?[\]{},]/g, '\\$&');
  const prefix = (fault.prefix ?? '/').replace(/^\//, '');
  return `${literal(prefix)}**${literal(fault.suffix ?? '')}`;
}

interface Made {
  fault: Effect;
  when: When;
}

function effects(what: keyof typeof FAULTS, entry: unknown): Made[] | undefined {
  if (what === 'error') {
    const { code, errorCode } = entry as Static<typeof FAULTS.error>;
    const errno = errnoOf(code ?? errorCode ?? 0);
    return errno === undefined ? undefined : [{ fault: { kind: 'error', errno }, when: {} }];
  }
  if (what === 'delay') {
    const delay = entry as Static<typeof FAULTS.delay>;
    const fault: Effect = { kind: 'delay', latency: { fixed: `${delay.delay_ms}ms` } };
    return [{ fault, when: { probability: delay.fraction ?? 1 } }];
  }
  const corrupt = entry as Static<typeof FAULTS.corrupt>;
  const count = corrupt.count ?? -1;
  const drop: Effect = { kind: 'short', random: true };
  if (count === 0) return [{ fault: drop, when: {} }];
  const fault = corruption(corrupt.mode, corrupt.fraction ?? 0.5);
  if (count < 0) return [{ fault, when: {} }];
  // When its count is used up it drops the end of every buffer.
  return [
    { fault, when: { count } },
    { fault: drop, when: { skip: count } },
  ];
}

function corruption(mode: Static<typeof FAULTS.corrupt>['mode'], fraction: number): Effect {
  switch (mode) {
    case 1000:
      return { kind: 'corrupt', how: 'zero', fraction };
    case 1001:
      return { kind: 'corrupt', how: 'random', fraction };
    case 1100:
      return { kind: 'corrupt', how: 'zeroTail' };
    case 1101:
      return { kind: 'corrupt', how: 'randomTail' };
    case 1200:
      return { kind: 'short', random: true };
  }
}

/** The sign doesn't matter to Kibosh. */
function errnoOf(code: number): Errno | undefined {
  return ERRNO_NAMES.find((name) => ERRNO[name] === Math.abs(code));
}
