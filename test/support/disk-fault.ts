import type { Effect, Fault, Match, When } from '../../src/core/disk/specification.ts';

/** A specification of one fault. */
export function spec(
  fault: Effect,
  match?: Match,
  when?: When,
): { version: 1; seed: number; faults: Fault[] } {
  return { version: 1, seed: 7, faults: [{ id: 'one', match, when, fault }] };
}

/** 'ok', or the code of the error that comes. */
export function errnoOf(act: () => unknown): string {
  try {
    act();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}
