import { durationMs } from '../base/duration.ts';
import { nearMiss } from '../base/near-miss.ts';
import type { Problem } from '../base/problem.ts';
import { parseRatio } from '../base/ratio.ts';
import { API_NAMES, apiKeyOf } from '../codec/kafka/api-keys.ts';
import { ERROR_NAMES, errorCode } from '../codec/kafka/error-codes.ts';
import type { ProxyRule } from '../model/proxy-rule.ts';

const ACTIONS = [
  'error',
  'delayBefore',
  'delayAfter',
  'loseReply',
  'hold',
  'duplicate',
  'disconnect',
  'truncateFetch',
] as const;

/** The fields of a rule that look into a request. */
const MATCHES = [
  'apiKey',
  'clientId',
  'topic',
  'topicPartition',
  'transactionalId',
  'group',
] as const;

/** Longer ones no timer keeps, and no connection lives. */
const LONGEST_MS = 86_400_000;

export const apiNamesOf = (rule: ProxyRule): readonly string[] =>
  typeof rule.apiKey === 'string' ? [rule.apiKey] : (rule.apiKey ?? []);

/** Whether a rule also applies to connections that can't be read (TLS that passes through). */
export const isBlind = (rule: ProxyRule): boolean =>
  rule.disconnect !== undefined && MATCHES.every((field) => rule[field] === undefined);

const actionsOf = (rule: ProxyRule): (typeof ACTIONS)[number][] =>
  ACTIONS.filter((action) => rule[action] !== undefined && rule[action] !== false);

function unknownName(path: string, what: string, name: string, known: readonly string[]): Problem {
  const problem: Problem = { path, message: `there is no ${what} '${name}'` };
  const near = nearMiss(name, known);
  if (near === undefined) problem.expected = `a name of Kafka's protocol guide`;
  else problem.nearMiss = near;
  return problem;
}

/** What the schema can't say of one rule. */
function checkRule(rule: ProxyRule, path: string): Problem[] {
  const problems: Problem[] = [];
  const actions = actionsOf(rule);
  if (actions.length !== 1) {
    problems.push({
      path,
      message: 'a rule does exactly one thing',
      found: actions.length === 0 ? 'nothing' : actions.join(', '),
      expected: `one of ${ACTIONS.join(', ')}`,
    });
  }
  for (const name of apiNamesOf(rule)) {
    if (apiKeyOf(name) === undefined) {
      problems.push(unknownName(`${path}/apiKey`, 'API', name, API_NAMES));
    }
  }
  if (rule.error !== undefined && errorCode(rule.error) === undefined) {
    problems.push(unknownName(`${path}/error`, 'error', rule.error, ERROR_NAMES));
  }
  for (const field of ['delayBefore', 'delayAfter', 'hold'] as const) {
    const ms = durationMs(rule[field] ?? '1d');
    if (ms > 0 && ms <= LONGEST_MS) continue;
    const message = ms === 0 ? `${field} must be over zero` : `${field} is at most 1d`;
    problems.push({ path: `${path}/${field}`, message });
  }
  for (const field of ['ratio', 'truncateFetch'] as const) {
    if (rule[field] !== undefined && parseRatio(rule[field]) === undefined) {
      problems.push({ path: `${path}/${field}`, message: `${field} lies outside 0 to 1` });
    }
  }
  if (rule.truncateFetch !== undefined && apiNamesOf(rule).join() !== 'Fetch') {
    problems.push({ path: `${path}/apiKey`, message: `truncateFetch needs 'apiKey: Fetch'` });
  }
  if (rule.nth !== undefined && rule.ratio !== undefined) {
    problems.push({ path: `${path}/nth`, message: `either 'nth' or 'ratio', not both` });
  }
  return problems;
}

export function checkRules(rules: readonly ProxyRule[], path = '/rules'): Problem[] {
  return rules.flatMap((rule, index) => checkRule(rule, `${path}/${index}`));
}
