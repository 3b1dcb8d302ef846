import type { Problem } from '../base/problem.ts';
import type { Claim, Facts } from './fault.ts';
import { describeProcess, type ProcessMatch, type ProcessRef } from './process-match.ts';
import type { Answer, Query } from './query.ts';

/** What a process fault means where it names no process. */
export const DEFAULT_MATCH: ProcessMatch = { service: 'broker' };

type Found = Extract<Answer, { query: 'processes' }>['processes'][number];

/** A match must say how to find something; `expect` alone says only how many. */
export function checkMatch(match: ProcessMatch | undefined): Problem[] {
  if (!match || Object.keys(match).some((field) => field !== 'expect')) return [];
  return [{ path: '/process', message: `'expect' alone finds no process: say which one, too` }];
}

/** Questions whose answers selectProcesses() reads, in this order. */
export function processQueries(match: ProcessMatch): Query[] {
  const queries: Query[] = [{ query: 'processes', match }];
  if (match.service !== undefined) queries.push({ query: 'service', service: match.service });
  return queries;
}

/** The answer about the service, where the match names one. */
export function serviceFact(facts: Facts): Extract<Answer, { query: 'service' }> | undefined {
  const fact = facts[1];
  return fact?.query === 'service' ? fact : undefined;
}

/** The processes that were found, whatever is wrong with them. */
export function foundProcesses(facts: Facts): Found[] {
  const fact = facts[0];
  return fact?.query === 'processes' ? fact.processes : [];
}

/**
 * The processes a fault is about, or every reason to leave them alone: another number than was
 * expected, a forbidden one, a service that the agent does not know.
 */
export function selectProcesses(match: ProcessMatch, facts: Facts): Found[] | Problem[] {
  const found = foundProcesses(facts);
  const expected = match.expect ?? 1;
  const problems: Problem[] = [];
  const service = serviceFact(facts);
  if (service && !service.known) {
    problems.push({
      path: '/process/service',
      message: `the agent's configuration has no service '${match.service}'`,
    });
  } else if (expected === 'some' ? found.length === 0 : found.length !== expected) {
    const names = found.slice(0, 5).map((one) => `${describeProcess(one.process)}: ${short(one)}`);
    problems.push({
      path: '/process',
      message: `${found.length} process(es) match ${JSON.stringify(match)}`,
      found: names.length > 0 ? names.join('; ') : 'none',
      expected: expected === 'some' ? 'at least one' : `exactly ${expected} ('expect')`,
    });
  }
  for (const one of found) {
    if (one.forbidden === undefined) continue;
    problems.push({
      path: '/process',
      message: `${describeProcess(one.process)} must not be touched: ${one.forbidden}`,
      found: short(one),
    });
  }
  return problems.length > 0 ? problems : found;
}

function short(found: Found): string {
  return found.commandLine.length > 80 ? `${found.commandLine.slice(0, 77)}...` : found.commandLine;
}

/** True where selectProcesses() found reasons against. */
export function areProblems(selected: Found[] | Problem[]): selected is Problem[] {
  return selected.length > 0 && 'message' in (selected[0] as object);
}

/** What everybody who wants this process alone asks for. */
export function processClaims(facts: Facts): Claim[] {
  return foundProcesses(facts).map(({ process }) => ({
    key: `process:${process.bootId}:${process.pidNamespace}:${process.pid}:${process.birthTicks}`,
    says: describeProcess(process),
  }));
}

/** References only. */
export function refsOf(found: readonly Found[]): ProcessRef[] {
  return found.map((one) => one.process);
}

/** Whether processes are all in one of these states ('gone' where they are no more). */
export function allInState(answer: Answer, states: readonly string[]): boolean {
  return (
    answer.query === 'processStates' &&
    answer.states.length > 0 &&
    answer.states.every((state) => states.includes(state))
  );
}
