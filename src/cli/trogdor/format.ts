/** An instant as Java writes it: without zeros at the end of its fraction. */
export function instantText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}

/** Hours, minutes and seconds: '2h46m40s'. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const parts = [h > 0 ? `${h}h` : '', m > 0 ? `${m}m` : '', s > 0 ? `${s}s` : ''];
  return parts.join('') || '0s';
}

/** Columns as wide as their widest cell. */
export function gridText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => `${cell.padEnd(widths[column] ?? 0)} `).join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}

/** JSON as Java's clients print it: `"a" : [ 1, 2 ]`, an indented line a member. */
export function prettyJson(value: unknown, indent = ''): string {
  if (Array.isArray(value))
    return value.length === 0
      ? '[ ]'
      : `[ ${value.map((item) => prettyJson(item, indent)).join(', ')} ]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const inner = `${indent}  `;
  const members = Object.entries(value).map(
    ([name, member]) => `${inner}${JSON.stringify(name)} : ${prettyJson(member, inner)}`,
  );
  return members.length === 0 ? '{ }' : `{\n${members.join(',\n')}\n${indent}}`;
}
