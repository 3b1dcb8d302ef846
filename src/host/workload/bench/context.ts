import { setTimeout as wait } from 'node:timers/promises';

/** What a bench has while it runs. */
export interface BenchContext {
  /** Identity of this run, for names that must be nobody else's. */
  run: string;
  /** What whoever asked for it calls it. */
  task: string;
  /** Aborted when the time is up or somebody asked for the end. */
  signal: AbortSignal;
  endedBy(): 'time' | 'request' | undefined;
  /** Where the status comes from, from now on. */
  show(say: () => unknown): void;
}

/** @returns why it failed, or undefined. */
export type BenchRun = (
  params: Record<string, unknown>,
  context: BenchContext,
) => Promise<string | undefined>;

/** Waits, or until the end. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(Math.max(0, ms), undefined, { signal });
  } catch {
    // The end has come: whoever waits looks at the signal.
  }
}

const SOON_MS = 2_000;

/** A moment after the end. */
export function soonAfter(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const soon = (): void => void setTimeout(resolve, SOON_MS);
    if (signal.aborted) soon();
    else signal.addEventListener('abort', soon, { once: true });
  });
}
