/** Something with a beginning and an end on the time axis. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/**
 * Puts spans into as few rows as their overlaps allow (greedy, by begin).
 * @param gapMs so far apart at least within a row.
 * @returns the row of each span, in the order given, from 0.
 */
export function rowsOf(spans: readonly Span[], gapMs = 0): number[] {
  const rows: number[] = Array.from({ length: spans.length }, () => 0);
  const freeFrom: number[] = [];
  const order = spans.map((_, index) => index);
  order.sort((a, b) => (spans[a]?.fromMs ?? 0) - (spans[b]?.fromMs ?? 0));
  for (const index of order) {
    const span = spans[index];
    if (span === undefined) continue;
    let found = freeFrom.findIndex((free) => free <= span.fromMs);
    if (found < 0) found = freeFrom.length;
    freeFrom[found] = span.toMs + gapMs;
    rows[index] = found;
  }
  return rows;
}

/** Joins spans that touch or overlap; `count` of each says how many became one. */
export function merged(spans: readonly Span[]): (Span & { count: number })[] {
  const result: (Span & { count: number })[] = [];
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = result.at(-1);
    if (last !== undefined && span.fromMs <= last.toMs) {
      last.toMs = Math.max(last.toMs, span.toMs);
      last.count += 1;
    } else {
      result.push({ fromMs: span.fromMs, toMs: span.toMs, count: 1 });
    }
  }
  return result;
}

/** Stretches with the same value, of a value that was sampled at `atMs`. */
export function stretches(
  atMs: readonly number[],
  values: readonly number[],
  endMs: number,
): (Span & { value: number })[] {
  const result: (Span & { value: number })[] = [];
  for (const [index, fromMs] of atMs.entries()) {
    const value = values[index] ?? 0;
    const last = result.at(-1);
    if (last !== undefined) last.toMs = fromMs;
    if (last === undefined || last.value !== value) result.push({ fromMs, toMs: endMs, value });
    else last.toMs = endMs;
  }
  return result;
}

/** Distances of the marks of a time axis, in seconds. */
export const TICK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600];

/** Round instants between two, at most `most` of them. */
export function ticks(fromMs: number, toMs: number, most: number): number[] {
  const spanS = (toMs - fromMs) / 1_000;
  const stepS = TICK_STEPS_S.find((step) => spanS / step <= most) ?? Math.ceil(spanS / most);
  const result: number[] = [];
  for (let at = Math.ceil(fromMs / 1_000 / stepS) * stepS; at * 1_000 <= toMs; at += stepS) {
    result.push(at * 1_000);
  }
  return result;
}

/** Index of the last sample at or before an instant, or -1. `atMs` is sorted. */
export function indexAt(atMs: readonly number[], ms: number): number {
  let low = 0;
  let high = atMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((atMs[middle] ?? 0) <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
