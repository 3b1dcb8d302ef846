import { durationMs } from '../base/duration.ts';
import type { Random } from '../base/random.ts';
import { ERRNO } from './errno.ts';
import { latencyMs } from './latency.ts';
import { matchesRequest, type Request, type Rule } from './rule.ts';
import type { Effect } from './specification.ts';

/** Counters that outlive one decision and are shared by all who decide. */
export interface Counters {
  /** How many requests the rule has matched before this one; counts this one. */
  match(rule: Rule): number;
  /** Counts a hit; false where the rule has had its `limit` (0: none) already. */
  hit(rule: Rule, limit: number): boolean;
}

/** A change to the bytes of one read or write. */
export type Alteration = {
  effect: Extract<
    Effect,
    { kind: 'corrupt' | 'short' | 'torn' | 'lost' | 'misdirected' | 'stale' }
  >;
  /** Of this hit's draws: new Random(seed). */
  seed: bigint;
};

/** A rule's effect that needs its counters. */
export interface Accounted<K extends 'rate' | 'full'> {
  index: number;
  effect: Extract<Effect, { kind: K }>;
}

/** What one rule does to a request it hits, with what was drawn for it. */
export interface Part {
  index: number;
  effect: Effect;
  delayMs: number;
  /** 0: no error. */
  errno: number;
  seed: bigint;
}

/**
 * What becomes of one request; applied in this order: latency, then the data, then the error.
 * Plain data: a held request's verdict travels to another thread.
 */
export interface Verdict {
  /** What it consists of: a rule that ends takes its own part along (`without`). */
  parts: readonly Part[];
  /** Indexes of the rules that hit. */
  hits: number[];
  delayMs: number;
  /** Held until the rule is gone. */
  stalled: boolean;
  /** The rules whose rate it has to keep to. */
  rates: Accounted<'rate'>[];
  alterations: Alteration[];
  /** The rule that says how an fsync ends. */
  fsync: Extract<Effect, { kind: 'fsync' }> | undefined;
  /** The rule whose quota it has to keep to: a hit only where that refuses something. */
  full: Accounted<'full'> | undefined;
  /** 0: no error. */
  errno: number;
}

/**
 * What the rules do to one request.
 * @param rules those whose globs take the request's path.
 * @returns undefined where all let it pass.
 */
export function decide(
  rules: readonly Rule[],
  request: Request,
  counters: Counters,
): Verdict | undefined {
  let parts: Part[] | undefined;
  for (const rule of rules) {
    if (!matchesRequest(rule, request)) continue;
    const random = draw(rule, counters);
    if (random === undefined) continue;
    parts ??= [];
    parts.push(partOf(rule, request, random));
  }
  return parts && sum(parts);
}

/** What is left of a verdict when some of its rules have ended. */
export function without(verdict: Verdict, hasEnded: (index: number) => boolean): Verdict {
  return sum(verdict.parts.filter(({ index }) => !hasEnded(index)));
}

/** The stream of this hit's chance, or undefined where `when` lets the request pass. */
function draw(rule: Rule, counters: Counters): Random | undefined {
  const { when } = rule;
  const number = counters.match(rule) - when.skip;
  if (number < 0 || (number + 1) % when.every !== 0) return undefined;
  if (!inSequence(when, number)) return undefined;
  const random = rule.random.fork(String(number));
  if (when.probability !== undefined && !random.chance(when.probability)) return undefined;
  return counters.hit(rule, when.count) ? random : undefined;
}

function inSequence(when: Rule['when'], number: number): boolean {
  const { sequence, repeats } = when;
  if (sequence === '') return true;
  return sequence[repeats ? number % sequence.length : number] === 'x';
}

function partOf({ index, effect }: Rule, request: Request, random: Random): Part {
  const part: Part = { index, effect, delayMs: 0, errno: 0, seed: 0n };
  switch (effect.kind) {
    case 'error':
      part.errno = ERRNO[pickErrno(effect.errno, random)];
      return part;
    case 'gone':
      part.errno = ERRNO[effect.errno ?? 'EIO'];
      return part;
    case 'readonly':
      part.errno = ERRNO.EROFS;
      return part;
    case 'delay': {
      const perMiBMs = durationMs(effect.latency.perMiB ?? '0s');
      part.delayMs = latencyMs(effect.latency, random) + (perMiBMs * request.size) / 2 ** 20;
      return part;
    }
    case 'stall':
    case 'rate':
    case 'fsync':
    case 'full':
      return part;
    case 'corrupt':
    case 'short':
    case 'torn':
    case 'lost':
    case 'misdirected':
    case 'stale':
      part.seed = random.fork('data').seed;
      return part;
  }
}

function sum(parts: readonly Part[]): Verdict {
  const verdict: Verdict = {
    parts,
    hits: parts.map(({ index }) => index),
    delayMs: 0,
    stalled: false,
    rates: [],
    alterations: [],
    fsync: undefined,
    full: undefined,
    errno: 0,
  };
  for (const part of parts) add(verdict, part);
  return verdict;
}

/** Of several errors, fsyncs or quotas the first one holds. */
function add(verdict: Verdict, { index, effect, delayMs, errno, seed }: Part): void {
  switch (effect.kind) {
    case 'error':
    case 'gone':
    case 'readonly':
      verdict.errno ||= errno;
      return;
    case 'delay':
      verdict.delayMs += delayMs;
      return;
    case 'stall':
      verdict.stalled = true;
      return;
    case 'rate':
      verdict.rates.push({ index, effect });
      return;
    case 'fsync':
      verdict.fsync ??= effect;
      return;
    case 'full':
      verdict.full ??= { index, effect };
      return;
    case 'corrupt':
    case 'short':
    case 'torn':
    case 'lost':
    case 'misdirected':
    case 'stale':
      verdict.alterations.push({ effect, seed });
      return;
  }
}

function pickErrno(
  errno: Extract<Effect, { kind: 'error' }>['errno'],
  random: Random,
): keyof typeof ERRNO {
  if (typeof errno === 'string') return errno;
  const chosen = errno[random.weighted(errno.map((one) => one.weight))];
  return chosen?.errno ?? 'EIO';
}
