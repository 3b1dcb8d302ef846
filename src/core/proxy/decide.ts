import { assert } from '../base/assert.ts';
import { durationMs } from '../base/duration.ts';
import type { Random } from '../base/random.ts';
import { parseRatio, type Fraction } from '../base/ratio.ts';
import { apiKeyOf } from '../codec/kafka/api-keys.ts';
import { errorCode } from '../codec/kafka/error-codes.ts';
import type { ProxyRule, RuleCounts } from '../model/proxy-rule.ts';
import type { RequestFacts } from './request-facts.ts';
import { apiNamesOf, isBlind } from './rule.ts';

export type ProxyAction =
  | { do: 'error'; code: number }
  | { do: 'delayBefore'; ms: number }
  | { do: 'delayAfter'; ms: number }
  | { do: 'loseReply' }
  | { do: 'hold'; ms: number }
  | { do: 'duplicate' }
  | { do: 'disconnect'; when: 'before' | 'after' }
  | { do: 'truncateFetch'; share: Fraction };

/** A rule fired. */
export interface Verdict {
  /** Its place in the document. */
  rule: number;
  action: ProxyAction;
  /** Topics it is about, as a pattern; undefined: all. */
  topic: string | undefined;
}

/** What is known of a request without its body. */
export interface Head {
  apiKey: number;
  clientId: string | null;
}

interface CompiledRule {
  index: number;
  rule: ProxyRule;
  keys: ReadonlySet<number> | undefined;
  action: ProxyAction;
  ratio: Fraction | undefined;
  random: Random;
  counts: RuleCounts;
}

/** Whether a text has the form of a pattern, in which * stands for any characters. */
export function matchesPattern(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return text === pattern;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

function actionOf(rule: ProxyRule): ProxyAction {
  if (rule.error !== undefined) return { do: 'error', code: errorCode(rule.error) ?? -1 };
  if (rule.delayBefore !== undefined)
    return { do: 'delayBefore', ms: durationMs(rule.delayBefore) };
  if (rule.delayAfter !== undefined) return { do: 'delayAfter', ms: durationMs(rule.delayAfter) };
  if (rule.hold !== undefined) return { do: 'hold', ms: durationMs(rule.hold) };
  if (rule.disconnect !== undefined) return { do: 'disconnect', when: rule.disconnect };
  if (rule.duplicate === true) return { do: 'duplicate' };
  if (rule.truncateFetch !== undefined) {
    return {
      do: 'truncateFetch',
      share: parseRatio(rule.truncateFetch) ?? { numerator: 0, denominator: 1 },
    };
  }
  assert(rule.loseReply === true, 'a checked rule does something');
  return { do: 'loseReply' };
}

const anyMatches = (pattern: string | undefined, texts: ReadonlySet<string>): boolean =>
  pattern === undefined || [...texts].some((text) => matchesPattern(pattern, text));

/**
 * Decides over requests, one after another: the first rule that matches and fires, fires alone. The
 * same seed decides alike over the same sequence of matching requests.
 */
export class RuleSet {
  readonly #rules: CompiledRule[];

  /** @param rules without problems (checkRules). */
  constructor(rules: readonly ProxyRule[], random: Random) {
    this.#rules = rules.map((rule, index) => {
      const keys = apiNamesOf(rule).map((name) => apiKeyOf(name) ?? -1);
      return {
        index,
        rule,
        keys: keys.length === 0 ? undefined : new Set(keys),
        action: actionOf(rule),
        ratio: rule.ratio === undefined ? undefined : parseRatio(rule.ratio),
        random: random.fork(`rule ${index}`),
        counts: { matched: 0, hits: 0 },
      };
    });
  }

  get counts(): RuleCounts[] {
    return this.#rules.map(({ counts }) => ({ ...counts }));
  }

  /** Whether any rule could be about a request with this head: if not, its body is not looked at. */
  concerns(head: Head): boolean {
    return this.#rules.some((one) => headMatches(one, head));
  }

  /** Whether a rule that could be about it asks what its body says, or answers it. */
  needsBody(head: Head): boolean {
    return this.#rules.some(
      (one) => headMatches(one, head) && (one.action.do === 'error' || looksInside(one.rule)),
    );
  }

  /** Whether a rule asks for topics, which later versions name by id alone. */
  asksTopics(head: Head): boolean {
    return this.#rules.some(
      ({ rule }, index) =>
        headMatches(this.#rules[index] as CompiledRule, head) &&
        (rule.topic ?? rule.topicPartition) !== undefined,
    );
  }

  /** @param facts what the body names; undefined where it could not be read: then such rules pass. */
  decide(head: Head, facts: RequestFacts | undefined): Verdict | undefined {
    return this.#fire((one) => {
      if (!headMatches(one, head)) return false;
      if (facts === undefined) return !looksInside(one.rule) && one.action.do !== 'error';
      return bodyMatches(one.rule, facts);
    });
  }

  /** Over a connection whose requests can't be read. */
  decideBlind(): Verdict | undefined {
    return this.#fire(({ rule }) => isBlind(rule));
  }

  /** Every rule counts what matches it; the first that is due fires. */
  #fire(matches: (one: CompiledRule) => boolean): Verdict | undefined {
    let verdict: Verdict | undefined;
    for (const one of this.#rules) {
      if (!matches(one) || !isDue(one) || verdict !== undefined) continue;
      one.counts.hits++;
      verdict = { rule: one.index, action: one.action, topic: one.rule.topic };
    }
    return verdict;
  }
}

function headMatches({ keys, rule }: CompiledRule, head: Head): boolean {
  if (keys !== undefined && !keys.has(head.apiKey)) return false;
  return rule.clientId === undefined || matchesPattern(rule.clientId, head.clientId ?? '');
}

const looksInside = (rule: ProxyRule): boolean =>
  (rule.topic ?? rule.topicPartition ?? rule.transactionalId ?? rule.group) !== undefined;

const bodyMatches = (rule: ProxyRule, facts: RequestFacts): boolean =>
  anyMatches(rule.topic, facts.topics) &&
  anyMatches(rule.topicPartition, facts.topicPartitions) &&
  anyMatches(rule.transactionalId, facts.transactionalIds) &&
  anyMatches(rule.group, facts.groups);

/** Counts a match. Chance is drawn at every match, so that what fired before moves nothing. */
function isDue({ rule, counts, ratio, random }: CompiledRule): boolean {
  counts.matched++;
  const lucky = ratio === undefined || random.chance(ratio);
  if (!lucky || (rule.nth !== undefined && counts.matched !== rule.nth)) return false;
  return rule.once !== true || counts.hits === 0;
}
