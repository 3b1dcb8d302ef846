import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for a condition, asking again and again; never sleeps and hopes.
 * @param what named in the error when the time is over.
 * @returns what the condition returned, once that is neither false nor undefined nor null.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: { timeoutMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, false | undefined | null>> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined && value !== null) {
      return value as Exclude<T, false | undefined | null>;
    }
    if (performance.now() >= endsAt) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await sleep(options.everyMs ?? 20);
  }
}
