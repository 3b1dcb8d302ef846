const COUNT = new Intl.NumberFormat('en');

/** 12345 -> '12,345'; rates lose their fraction. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? 'none' : COUNT.format(Math.round(value));
}

/** A count in few characters, for an axis: 20000 -> '20k'. */
export function shortCount(value: number): string {
  if (value >= 1e6) return `${trim(value / 1e6)}M`;
  return value >= 1e3 ? `${trim(value / 1e3)}k` : trim(value);
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** A length of time: 250 -> '250 ms', 12340 -> '12.3 s', 83000 -> '1 min 23 s'. */
export function length(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return 'none';
  if (Math.abs(ms) < 1) return `${Number(ms.toPrecision(2))} ms`;
  if (Math.abs(ms) < 1_000) return `${Number(ms.toPrecision(3))} ms`;
  if (Math.abs(ms) < 60_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)} min${rest === 0 ? '' : ` ${rest} s`}`;
}

/** An instant of the run: 83400 -> '1:23.4'. `digits` of the second's fraction. */
export function instant(ms: number, digits = 1): string {
  const sign = ms < 0 ? '−' : '';
  const scale = 10 ** digits;
  const units = Math.round((Math.abs(ms) * scale) / 1_000);
  const seconds = Math.floor(units / scale);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  const fraction = digits === 0 ? '' : `.${String(units % scale).padStart(digits, '0')}`;
  const tail = `${String(seconds % 60).padStart(2, '0')}${fraction}`;
  return hours > 0
    ? `${sign}${hours}:${String(minutes).padStart(2, '0')}:${tail}`
    : `${sign}${minutes}:${tail}`;
}

/** 'lostWrite' -> 'lost write', 'steadyState' -> 'steady state'. */
export function words(camelCase: string): string {
  return camelCase.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
