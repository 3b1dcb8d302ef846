import { durationMs } from '../base/duration.ts';
import { nearMiss } from '../base/near-miss.ts';
import { invalid, under, valid, type Checked, type Problem } from '../base/problem.ts';
import { parseRatio } from '../base/ratio.ts';
import { checkSchema, quoted } from '../base/schema.ts';
import { parseGlob } from './glob.ts';
import {
  KINDS,
  KIND_NAMES,
  Specification,
  type DiskSpecification,
  type Effect,
  type Fault,
  type Match,
} from './specification.ts';
import { applicable } from './kind.ts';
import { operationSet } from './operation.ts';

const MAX_BYTES = 1 << 20;

/**
 * Reads a disk specification from JSON text.
 * @returns the specification, or every problem in it with its path; nothing half-right is taken.
 */
export function parseSpecification(text: string): Checked<DiskSpecification> {
  if (text.length > MAX_BYTES) {
    return invalid({ path: '', message: `larger than ${MAX_BYTES} bytes` });
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return invalid({ path: '', message: `not JSON: ${(error as Error).message}` });
  }
  return checkSpecification(document);
}

/** Prints a specification; `parseSpecification` reads the same back. */
export function printSpecification(specification: DiskSpecification): string {
  return `${JSON.stringify(specification, undefined, 2)}\n`;
}

/** Checks a document that was JSON already. All problems at once. */
export function checkSpecification(document: unknown): Checked<DiskSpecification> {
  const problems: Problem[] = [];
  const shape = checkSchema(Specification, withoutEffectFields(document));
  if (!shape.ok)
    problems.push(...shape.problems.filter((one) => !one.path.endsWith('/fault/kind')));
  const faults = (document as { faults?: unknown } | null)?.faults;
  const ids = new Map<string, number>();
  for (const [index, fault] of (Array.isArray(faults) ? faults : []).entries()) {
    const path = `/faults/${index}`;
    problems.push(...under(path, checkFault(fault)));
    const id: unknown = (fault as { id?: unknown } | null)?.id;
    if (typeof id !== 'string') continue;
    const earlier = ids.get(id);
    if (earlier !== undefined) {
      problems.push({ path: `${path}/id`, message: `'${id}' also names /faults/${earlier}` });
    }
    ids.set(id, index);
  }
  return problems.length === 0 ? valid(document as DiskSpecification) : invalid(...problems);
}

/** The document with each effect reduced to its kind: effects are checked by their own schemas. */
function withoutEffectFields(document: unknown): unknown {
  if (typeof document !== 'object' || document === null) return document;
  const faults = (document as { faults?: unknown }).faults;
  if (!Array.isArray(faults)) return document;
  const reduced = faults.map((fault: unknown) => {
    const effect = (fault as { fault?: unknown } | null)?.fault;
    if (typeof effect !== 'object' || effect === null) return fault;
    return { ...(fault as object), fault: { kind: (effect as { kind?: unknown }).kind } };
  });
  return { ...document, faults: reduced };
}

function checkFault(fault: unknown): Problem[] {
  if (typeof fault !== 'object' || fault === null) return [];
  const { match, when, fault: effect } = fault as Partial<Fault>;
  const problems: Problem[] = [];
  if (typeof effect === 'object' && effect !== null) {
    problems.push(...under('/fault', checkEffect(effect)));
  }
  if (typeof match === 'object' && match !== null) {
    problems.push(...under('/match', checkMatch(match)));
  }
  const probability: unknown = when?.probability;
  if (typeof probability === 'string' && parseRatio(probability) === undefined) {
    problems.push({
      path: '/when/probability',
      message: 'not between 0 and 1',
      found: quoted(probability),
    });
  }
  // Of an effect that is an object there is a problem by now, or it is one of ours.
  if (problems.length === 0 && typeof effect === 'object' && effect !== null) {
    problems.push(...checkTogether(effect, match?.op));
  }
  return problems;
}

function checkEffect(effect: Effect): Problem[] {
  const isNamed = typeof effect.kind === 'string' && Object.hasOwn(KINDS, effect.kind);
  const schema = isNamed ? KINDS[effect.kind] : undefined;
  if (schema === undefined) {
    const near = typeof effect.kind === 'string' ? nearMiss(effect.kind, KIND_NAMES) : undefined;
    return [
      {
        path: '/kind',
        message: 'no such kind of fault',
        found: quoted(effect.kind),
        expected: KIND_NAMES.join(', '),
        ...(near === undefined ? {} : { nearMiss: near }),
      },
    ];
  }
  const checked = checkSchema(schema, effect);
  return checked.ok ? checkNumbers(effect) : checked.problems;
}

/** What a schema can't say about one effect. */
function checkNumbers(effect: Effect): Problem[] {
  switch (effect.kind) {
    case 'delay': {
      const { fixed, uniform, normal, pareto, perMiB } = effect.latency;
      const shapes = [fixed, uniform, normal, pareto].filter((one) => one !== undefined);
      if (shapes.length > 1 || (shapes.length === 0 && perMiB === undefined)) {
        const message = 'exactly one of fixed, uniform, normal, pareto (or perMiB alone) is needed';
        return [{ path: '/latency', message }];
      }
      if (uniform && durationMs(uniform.from) > durationMs(uniform.to)) {
        return [{ path: '/latency/uniform', message: "'from' is longer than 'to'" }];
      }
      return [];
    }
    case 'rate':
      return effect.bytesPerSecond === undefined && effect.operationsPerSecond === undefined
        ? [{ path: '', message: 'bytesPerSecond or operationsPerSecond is needed' }]
        : [];
    case 'short':
      return [effect.bytes, effect.share, effect.random].filter((one) => one !== undefined)
        .length !== 1
        ? [{ path: '', message: 'exactly one of bytes, share and random is needed' }]
        : ratioProblem('/share', effect.share);
    case 'corrupt':
      if (effect.fraction !== undefined && effect.amount !== undefined) {
        return [{ path: '', message: 'amount and fraction exclude each other' }];
      }
      if (effect.fraction !== undefined && !['zero', 'random'].includes(effect.how)) {
        return [{ path: '/fraction', message: 'only zero and random take a fraction' }];
      }
      return ratioProblem('/fraction', effect.fraction);
    case 'misdirected':
      return effect.shiftBytes === 0
        ? [{ path: '/shiftBytes', message: 'a shift of 0 is no fault' }]
        : [];
    case 'fsync':
      return effect.how === 'ignored' && (effect.errno ?? effect.after) !== undefined
        ? [{ path: '', message: "errno and after belong to how 'fails'" }]
        : [];
    default:
      return [];
  }
}

function ratioProblem(path: string, ratio: number | string | undefined): Problem[] {
  return ratio !== undefined && parseRatio(ratio) === undefined
    ? [{ path, message: 'not between 0 and 1', found: quoted(ratio) }]
    : [];
}

function checkMatch(match: Match): Problem[] {
  const problems: Problem[] = [];
  for (const name of ['path', 'notPath'] as const) {
    const globs: unknown = match[name];
    for (const [index, glob] of (Array.isArray(globs) ? globs : []).entries()) {
      const parsed = typeof glob === 'string' ? parseGlob(glob) : undefined;
      if (parsed !== undefined && 'error' in parsed) {
        const path = `/${name}/${index}`;
        problems.push({ path, message: `not a glob: ${parsed.error}`, found: quoted(glob) });
      }
    }
  }
  for (const [index, range] of (Array.isArray(match.range) ? match.range : []).entries()) {
    if (range?.from >= range?.to) {
      problems.push({
        path: `/range/${index}`,
        message: "an empty range: 'to' must be greater than 'from'",
        found: quoted(range),
      });
    }
  }
  return problems;
}

function checkTogether(effect: Effect, op: unknown): Problem[] {
  if (!Array.isArray(op)) return [];
  const can = applicable(effect);
  return (operationSet(op) & can) === 0
    ? [
        {
          path: '/match/op',
          message: `a '${effect.kind}' fault can't touch any of these operations`,
          found: quoted(op),
        },
      ]
    : [];
}
