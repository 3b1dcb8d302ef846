const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** Days from 1970-01-01 to a date of the Gregorian calendar. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const before = year - 1;
  const leaps = (y: number): number =>
    Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const inYear = (DAYS_BEFORE_MONTH[month - 1] ?? 0) + (isLeap && month > 2 ? 1 : 0) + day - 1;
  return (year - 1970) * 365 + leaps(before) - leaps(1969) + inYear;
}

/** Reads RFC 3339's date-time. @returns ms since the epoch, or undefined where it is none. */
export function parseInstant(text: string): number | undefined {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  const days = daysSinceEpoch(year, month, day);
  const nextMonth = month === 12 ? [year + 1, 1] : [year, month + 1];
  const monthEnds = daysSinceEpoch(nextMonth[0] ?? 0, nextMonth[1] ?? 1, 1);
  const isDate = month >= 1 && month <= 12 && day >= 1 && days < monthEnds;
  if (!isDate || hour > 23 || minute > 59 || second > 60) return undefined;
  const zone = match[8] ?? 'Z';
  const sign = zone.startsWith('-') ? -1 : 1;
  const offset =
    zone.length === 1 ? 0 : sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)));
  const fraction = Math.floor(Number(match[7] ?? 0) * 1_000);
  return ((days * 24 + hour) * 60 + minute - offset) * 60_000 + second * 1_000 + fraction;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Writes ms since the epoch as RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.000Z. */
export function formatInstant(wallMs: number): string {
  const whole = Math.floor(wallMs);
  const days = Math.floor(whole / 86_400_000);
  const inDay = whole - days * 86_400_000;
  // Civil from days (Howard Hinnant, 'chrono-Compatible Low-Level Date Algorithms'): years from March.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const hour = two(Math.floor(inDay / 3_600_000));
  const minute = two(Math.floor(inDay / 60_000) % 60);
  const second = two(Math.floor(inDay / 1_000) % 60);
  const fraction = String(inDay % 1_000).padStart(3, '0');
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${hour}:${minute}:${second}.${fraction}Z`;
}
