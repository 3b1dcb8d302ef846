import { Type } from 'typebox';

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const PATTERN = '^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$';
const WHOLE = new RegExp(PATTERN);

/**
 * Schema of a duration on the wire: a number with a unit, parts may follow each other ('1m30s').
 * A bare number is refused: nobody can know whether it means seconds or milliseconds.
 */
export const Duration = Type.Refine(
  Type.String({
    pattern: PATTERN,
    maxLength: 32,
    title: 'duration',
    description: "a number with its unit (ms, s, m, h, d): '250ms', '30s', '1m30s'",
  }),
  // What is no duration at all, the pattern says.
  (text) => !WHOLE.test(text) || parseDuration(text) !== undefined,
  () => 'longer than ten years',
);

/**
 * Reads a duration.
 * @returns milliseconds (whole, at most 10 years), or undefined where the text is no duration.
 */
export function parseDuration(text: string): number | undefined {
  if (text.length > 32 || !WHOLE.test(text)) return undefined;
  let totalMs = 0;
  for (const part of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(part[1]) * (UNITS_MS[part[2] ?? ''] ?? Number.NaN);
  }
  const whole = Math.round(totalMs);
  return whole <= 10 * 365 * 86_400_000 ? whole : undefined;
}

/** The duration in milliseconds of a text the schema has already accepted. */
export function durationMs(text: string): number {
  return parseDuration(text) ?? 0;
}

/** Writes milliseconds as the shortest duration that reads back the same: 90000 -> '1m30s'. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms));
  if (rest === 0) return '0s';
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const size = UNITS_MS[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
