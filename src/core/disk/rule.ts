import { durationMs } from '../base/duration.ts';
import { Random } from '../base/random.ts';
import { parseRatio, type Fraction } from '../base/ratio.ts';
import { globMatches, parseGlob, type Glob } from './glob.ts';
import { applicable, defaultOperations } from './kind.ts';
import { isCachedMetadata, operationBit, operationSet } from './operation.ts';
import type { DiskSpecification, Effect, Fault, When } from './specification.ts';

/** A fault ready to be asked about requests. */
export interface Rule {
  /** The place of its counters. */
  readonly index: number;
  readonly id: string;
  readonly effect: Effect;
  /** Set of operations (operation.ts). */
  readonly operations: number;
  readonly when: Draw;
  readonly random: Random;
  readonly paths: readonly Glob[];
  readonly notPaths: readonly Glob[];
  readonly ranges: readonly { from: number; to: number }[];
  readonly pids: ReadonlySet<number> | undefined;
  readonly uids: ReadonlySet<number> | undefined;
}

/** `when` without its times: those are the host's, which drops the rules that are not in force. */
export interface Draw {
  readonly probability: Fraction | undefined;
  readonly skip: number;
  readonly every: number;
  readonly count: number;
  readonly sequence: string;
  readonly repeats: boolean;
}

/** What a rule is asked about: one request to the file system. */
export interface Request {
  /** One bit (operationBit). */
  operation: number;
  /** The caller means to change something (an open for writing). */
  writes: boolean;
  pid: number;
  uid: number;
  /** In bytes; both 0 where the operation has none. */
  offset: number;
  size: number;
}

/** A fault in force. */
export interface Placed {
  fault: Fault;
  seed: number;
  /** Its place among the counters. */
  place: number;
}

/** What is in force: written by the control, read by all who decide. */
export interface Published {
  faults: readonly Placed[];
  /** Whether to know what is unsynced. */
  tracks: boolean;
}

/** The faults of a checked specification, each at its own place in the document. */
export function placed(specification: DiskSpecification): Published {
  const seed = specification.seed ?? 0;
  const faults = specification.faults.map((fault, place) => ({ fault, seed, place }));
  return { faults, tracks: specification.trackUnsynced === true };
}

export function compileRules(published: Published): Rule[] {
  return published.faults.map(compileRule);
}

function compileRule({ fault, seed, place: index }: Placed): Rule {
  const match = fault.match ?? {};
  const wanted = match.op === undefined ? defaultOperations(fault.fault) : operationSet(match.op);
  return {
    index,
    id: fault.id,
    effect: fault.fault,
    operations: wanted & applicable(fault.fault),
    when: compileWhen(fault.when ?? {}),
    random: new Random(seed).fork(fault.id),
    paths: globs(match.path),
    notPaths: globs(match.notPath),
    ranges: match.range ?? [],
    pids: match.pid === undefined ? undefined : new Set(match.pid),
    uids: match.uid === undefined ? undefined : new Set(match.uid),
  };
}

function globs(texts: readonly string[] | undefined): Glob[] {
  return (texts ?? []).map(parseGlob).filter((glob): glob is Glob => !('error' in glob));
}

function compileWhen(when: When): Draw {
  const sequence = when.sequence ?? '';
  const probability = when.probability === undefined ? undefined : parseRatio(when.probability);
  return {
    probability: probability?.numerator === probability?.denominator ? undefined : probability,
    skip: when.skip ?? 0,
    every: when.every ?? 1,
    count: when.count ?? 0,
    sequence: sequence.replace('*', ''),
    repeats: sequence.endsWith('*'),
  };
}

/** When a fault starts and ends, in milliseconds after the specification was set. */
export function inForce(when: When | undefined): { fromMs: number; toMs: number } {
  const fromMs = when?.delay === undefined ? 0 : durationMs(when.delay);
  const toMs = when?.duration === undefined ? Infinity : fromMs + durationMs(when.duration);
  return { fromMs, toMs };
}

/** Whether the rule's globs take this path. */
export function matchesPath(rule: Rule, path: string): boolean {
  if (rule.paths.length > 0 && !rule.paths.some((glob) => globMatches(glob, path))) return false;
  return !rule.notPaths.some((glob) => globMatches(glob, path));
}

/** Whether the rule takes this request of a file whose path it takes. */
export function matchesRequest(rule: Rule, request: Request): boolean {
  if ((rule.operations & request.operation) === 0) return false;
  const onlyWrites = rule.effect.kind === 'readonly' || rule.effect.kind === 'full';
  if (onlyWrites && request.operation === OPEN && !request.writes) return false;
  if (rule.pids !== undefined && !rule.pids.has(request.pid)) return false;
  if (rule.uids !== undefined && !rule.uids.has(request.uid)) return false;
  if (rule.ranges.length === 0) return true;
  const end = request.offset + request.size;
  return rule.ranges.some((range) => request.offset < range.to && end > range.from);
}

const OPEN = operationBit('open');

/** Whether what the kernel keeps of names and attributes would hide this rule. */
export function touchesMetadata(rule: Rule): boolean {
  return isCachedMetadata(rule.operations);
}

const READ = operationBit('read');
const ALTERS_WRITES: readonly string[] = [
  'corrupt',
  'torn',
  'lost',
  'misdirected',
  'short',
  'gone',
];

/** Whether what the kernel's page cache keeps would hide this rule. */
export function touchesPages(rule: Rule): boolean {
  return (rule.operations & READ) !== 0 || ALTERS_WRITES.includes(rule.effect.kind);
}

/** Whether a page that was just written must not stay cached: latency is for what is not. */
export function refusesFreshPages(rule: Rule): boolean {
  return touchesPages(rule) && !['delay', 'stall', 'rate'].includes(rule.effect.kind);
}
