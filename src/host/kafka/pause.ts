import { setTimeout as wait } from 'node:timers/promises';

/** Waits, or until the end. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  try {
    await wait(ms, undefined, { signal });
  } catch {
    // The end has come: whoever waits looks at the signal.
  }
}
